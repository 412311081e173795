// Timers. The browser keeps the time; the callbacks stay here. The API counts on them, so they meet
// nothing that scripts may have patched.

import { after, apply, createMap, toNumber } from "../api/intrinsics.js";

/**
 * @param {object} native `setTimer(number, delay)`, `clearTimer(number)`, `reportException`
 */
export function installTimers(native) {
    const timers = createMap();
    let latest = 0;

    function start(callback, delay, repeats, details) {
        latest += 1;
        const asked = toNumber(delay);
        const milliseconds = asked > 0 ? asked - (asked % 1 || 0) : 0;
        timers.set(latest, { __proto__: null, callback, milliseconds, repeats, details });
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
        after(undefined, () => call(callback, []));
    };

    function call(callback, details) {
        try {
            apply(callback, undefined, details);
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
                native.setTimer(number, timer.milliseconds > 1 ? timer.milliseconds : 1);
            } else {
                timers.delete(number);
            }
            call(timer.callback, timer.details);
        },
    };
}
