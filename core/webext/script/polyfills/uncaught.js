// What becomes of errors that no script catches: the window's `error` event, then the log.

/**
 * @param {object} native `reportException(error)`
 * @param {object} profile the browser to follow
 * @returns {{report: (error: any) => void, listen: (dispatch: Function) => void}} `listen` takes
 *   the way to the window's listeners, which gives whether they kept the error from the log
 */
export function createUncaught(native, profile) {
    let dispatch;
    let isReporting = false;

    return {
        report(error) {
            // What listeners of errors throw does not come to them.
            const isTold = dispatch !== undefined && !isReporting;
            isReporting = true;
            try {
                if (!isTold || !dispatch({ type: "error", message: profile.uncaught(error), error, filename: "", lineno: 0, colno: 0 })) {
                    native.reportException(error);
                }
            } finally {
                isReporting = false;
            }
        },

        listen(given) {
            dispatch = given;
        },
    };
}
