// `runtime.lastError`: set while a callback runs, and complained about when the
// callback did not look at it.

/** @param {object} native `console(level, text)` */
export function createLastError(native) {
    let current;
    let checked = false;

    return {
        /** What the property `runtime.lastError` gives. */
        get() {
            checked = true;
            return current;
        },

        /** Calls back with the error set; with none when `message` is undefined. */
        during(message, callback) {
            const outer = { current, checked };
            current = message === undefined ? undefined : { message };
            checked = false;
            try {
                callback();
            } finally {
                if (current !== undefined && !checked) {
                    native.console("warn", `Unchecked runtime.lastError: ${message}`);
                }
                ({ current, checked } = outer);
            }
        },
    };
}
