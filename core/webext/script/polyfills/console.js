// `console`: goes to the run's log, with the name of the context.

/** @param {object} native `console(level, text)` */
export function installConsole(native) {
    const counts = new Map();
    const write = (level) => (...values) => native.console(level, values.map(show).join(" "));
    const log = write("log");
    globalThis.console = {
        log,
        info: write("info"),
        warn: write("warn"),
        error: write("error"),
        debug: write("debug"),
        trace: log,
        dir: log,
        table: log,
        group: log,
        groupCollapsed: log,
        groupEnd() {},
        assert(condition, ...values) {
            if (!condition) {
                native.console("error", ["Assertion failed:", ...values.map(show)].join(" "));
            }
        },
        count(label = "default") {
            counts.set(label, (counts.get(label) ?? 0) + 1);
            log(`${label}: ${counts.get(label)}`);
        },
    };
}

/** A value as a console shows it: texts as they are, objects as JSON where possible. */
function show(value) {
    if (typeof value === "string") {
        return value;
    }
    if (value instanceof Error) {
        return String(value);
    }
    if (typeof value === "object" && value !== null) {
        try {
            return JSON.stringify(value) ?? Object.prototype.toString.call(value);
        } catch {
            return Object.prototype.toString.call(value);
        }
    }
    return typeof value === "function" ? `function ${value.name}` : String(value);
}
