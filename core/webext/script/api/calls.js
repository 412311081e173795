// Calls that the browser process answers later: `tabs.query` and the like.

import { createChecker } from "./arguments.js";
import { NewError, NewPromise, after, apply, createMap, list, parse } from "./intrinsics.js";
import { wellFormedJson } from "./text.js";

const callback = { __proto__: null, name: "callback", type: "function", optional: true };

/**
 * @param {object} native `call(number, method, json)`, `reportException`
 * @param {object} profile the browser to follow
 * @param {object} lastError see last_error.js
 */
export function createCalls(native, profile, lastError) {
    const pending = createMap();
    let latest = 0;

    /**
     * Makes an asynchronous method: it gives a promise, or takes a callback behind
     * its other arguments and sets `runtime.lastError` for it. `prepare` changes the list of
     * arguments that is sent.
     */
    function method(name, parameters, prepare = () => {}) {
        const count = parameters.length;
        const check = createChecker(profile, name, [...parameters, callback]);
        return (...given) => {
            const values = check(given);
            const listener = values[count];
            values.length = count;
            prepare(values);
            for (let index = 0; index < count; index += 1) {
                values[index] ??= null;
            }
            latest += 1;
            const number = latest;
            native.call(number, name, wellFormedJson(values));
            if (listener !== undefined) {
                pending.set(number, { __proto__: null, listener });
                return undefined;
            }
            return new NewPromise((resolve, reject) => pending.set(number, { __proto__: null, resolve, reject }));
        };
    }

    /** Delivers an answer: its result as JSON, empty for undefined, or what went wrong. */
    function answer(number, json, error) {
        const call = pending.get(number);
        pending.delete(number);
        if (call === undefined) {
            return;
        }
        const result = json === undefined || json === "" ? undefined : parse(json);
        const { listener, resolve, reject } = call;
        if (listener === undefined) {
            if (error === undefined) {
                resolve(result);
            } else {
                reject(new NewError(error));
            }
            return;
        }
        lastError.during(error, () => {
            try {
                listener(result);
            } catch (thrown) {
                native.reportException(thrown);
            }
        });
    }

    /** Makes an asynchronous method that needs nobody else to answer. */
    function local(name, result) {
        const check = createChecker(profile, name, [callback]);
        return (...given) => {
            const listener = check(given)[0];
            if (listener === undefined) {
                return new NewPromise((resolve) => resolve(result()));
            }
            after(undefined, () => apply(listener, undefined, list(result())));
            return undefined;
        };
    }

    return { __proto__: null, method, local, answer };
}
