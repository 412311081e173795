// Timers. The browser keeps the time; the callbacks stay here.

/**
 * @param {object} native `setTimer(number, delay)`, `clearTimer(number)`, `reportException`
 */
export function installTimers(native) {
    const timers = new Map();
    let latest = 0;

    function start(callback, delay, repeats, details) {
        latest += 1;
        const milliseconds = Math.max(0, Math.trunc(Number(delay)) || 0);
        timers.set(latest, { callback, milliseconds, repeats, details });
        native.setTimer(latest, milliseconds);
        return latest;
    }

    function stop(number) {
        if (timers.delete(number)) {
            native.clearTimer(number);
        }
    }

    globalThis.setTimeout = (callback, delay, ...details) => start(callback, delay, false, details);
    globalThis.setInterval = (callback, delay, ...details) => start(callback, delay, true, details);
    globalThis.clearTimeout = stop;
    globalThis.clearInterval = stop;
    globalThis.queueMicrotask = (callback) => {
        Promise.resolve().then(() => call(callback, []));
    };

    function call(callback, details) {
        try {
            callback(...details);
        } catch (error) {
            native.reportException(error);
        }
    }

    return {
        /** Calls back after a while, on the browser's own behalf. */
        later: (milliseconds, callback) => start(callback, milliseconds, false, []),

        /** Runs a timer that is due. */
        timer(number) {
            const timer = timers.get(number);
            if (timer === undefined) {
                return;
            }
            if (timer.repeats) {
                // An interval of nothing would leave no time for anything else.
                native.setTimer(number, Math.max(1, timer.milliseconds));
            } else {
                timers.delete(number);
            }
            call(timer.callback, timer.details);
        },
    };
}
