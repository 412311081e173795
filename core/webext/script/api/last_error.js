// `runtime.lastError`: set while a callback runs, and complained about when the
// callback did not look at it.

/**
 * @param {object} native `console(level, text)`
 * @param {object} profile the browser to follow
 */
export function createLastError(native, profile) {
    const none = profile.noLastError;
    let current = none;
    let checked = false;

    return {
        __proto__: null,
        /** What the property `runtime.lastError` gives. */
        get() {
            checked = true;
            return current;
        },

        /** Calls back with the error set; with none when `message` is undefined. */
        during(message, callback) {
            const outer = current;
            const outerChecked = checked;
            current = message === undefined ? none : profile.makeLastError(message);
            checked = false;
            try {
                callback();
            } finally {
                if (current !== none && !checked) {
                    native.console("warn", `Unchecked runtime.lastError: ${message}`);
                }
                current = outer;
                checked = outerChecked;
            }
        },
    };
}
