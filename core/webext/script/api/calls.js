// Calls that the browser process answers later: `tabs.query` and the like.

import { createChecker } from "./arguments.js";
import { wellFormedJson } from "./text.js";

/**
 * @param {object} native `call(number, method, json)`, `reportException`
 * @param {object} profile the browser to follow
 * @param {object} lastError see last_error.js
 */
export function createCalls(native, profile, lastError) {
    const pending = new Map();
    let latest = 0;

    /**
     * Makes an asynchronous method: it gives a promise, or takes a callback behind
     * its other arguments and sets `runtime.lastError` for it. `prepare` gives what
     * is sent in place of the arguments.
     */
    function method(name, parameters, prepare = (...values) => values) {
        const callback = { name: "callback", type: "function", optional: true };
        const check = createChecker(profile, name, [...parameters, callback]);
        return (...given) => {
            const values = check(given);
            const listener = values.pop();
            latest += 1;
            const number = latest;
            native.call(number, name, wellFormedJson(prepare(...values).map((value) => value ?? null)));
            if (listener !== undefined) {
                pending.set(number, { listener });
                return undefined;
            }
            return new Promise((resolve, reject) => pending.set(number, { resolve, reject }));
        };
    }

    /** Delivers an answer: its result as JSON, empty for undefined, or what went wrong. */
    function answer(number, json, error) {
        const call = pending.get(number);
        pending.delete(number);
        if (call === undefined) {
            return;
        }
        const result = json === undefined || json === "" ? undefined : JSON.parse(json);
        if (call.listener === undefined) {
            if (error === undefined) {
                call.resolve(result);
            } else {
                call.reject(new Error(error));
            }
            return;
        }
        lastError.during(error, () => {
            try {
                call.listener(result);
            } catch (thrown) {
                native.reportException(thrown);
            }
        });
    }

    /** Makes an asynchronous method that needs nobody else to answer. */
    function local(name, result) {
        const check = createChecker(profile, name, [{ name: "callback", type: "function", optional: true }]);
        return (...given) => {
            const [listener] = check(given);
            if (listener === undefined) {
                return Promise.resolve(result());
            }
            Promise.resolve().then(() => listener(result()));
            return undefined;
        };
    }

    return { method, local, answer };
}
