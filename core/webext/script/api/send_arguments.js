// The overloads of `runtime.sendMessage`, by each engine's rule: both ends of its arguments are optional.

import { NewError, keys, list } from "./intrinsics.js";

/** The arguments before the callback, and the callback, which is the last argument if that is a function. */
function withoutCallback(given) {
    const last = given.length - 1;
    const callback = last >= 0 && typeof given[last] === "function" ? given[last] : undefined;
    const values = list();
    for (let index = 0; index < given.length - (callback === undefined ? 0 : 1); index += 1) {
        values[index] = given[index];
    }
    return { __proto__: null, values, callback };
}

/**
 * Chromium's rule: of two arguments the first is an id when it can be one, a text or nothing. What fits no
 * overload is left as it is, for the check of the arguments to refuse.
 */
function spread(given) {
    const { values, callback } = withoutCallback(given);
    switch (values.length) {
        case 1:
            return list(undefined, values[0], undefined, callback);
        case 2:
            return typeof values[0] === "string" || values[0] === undefined || values[0] === null
                ? list(values[0], values[1], undefined, callback)
                : list(undefined, values[0], values[1], callback);
        case 3:
            return list(values[0], values[1], values[2], callback);
        default:
            return given;
    }
}

/** Whether a value stands for options in Firefox, which knows none: nothing, or an object without keys. */
function isEmpty(value) {
    return value === undefined || value === null || (typeof value === "object" && keys(value).length === 0);
}

/** Firefox's rule: of two arguments the second is options when it can be. Gives a text where it refuses. */
function read(given) {
    const { values, callback } = withoutCallback(given);
    const { length } = values;
    const hasNoId = length === 1 || (length === 2 && isEmpty(values[1]));
    // By their numbers: taking an array apart calls its iterator.
    const id = hasNoId ? undefined : values[0];
    const message = hasNoId ? values[0] : values[1];
    const options = hasNoId ? undefined : values[2];
    const beyond = values[3];
    const refusal = () => {
        if (length === 0) {
            return "runtime.sendMessage's message argument is missing";
        }
        if (!isEmpty(options)) {
            return "runtime.sendMessage's options argument is invalid";
        }
        if (length === 4 && beyond && callback === undefined) {
            return "runtime.sendMessage's last argument is not a function";
        }
        if ((beyond !== undefined && beyond !== null) || length > 4) {
            return "runtime.sendMessage received too many arguments";
        }
        return id && typeof id !== "string" ? "runtime.sendMessage's extensionId argument is invalid" : undefined;
    };
    return { __proto__: null, id, message, callback, refusal: refusal() };
}

/**
 * Makes what reads the arguments of a profile's `runtime.sendMessage`.
 *
 * @param {object} profile the browser to follow
 * @param {Function} check see arguments.js
 * @returns {(given: any[]) => {id: any, message: any, callback?: Function, error?: Error}} `error` is what the
 *   call fails with later; what it fails with at once is thrown
 */
export function createSendArguments(profile, check) {
    if (profile.sendsLeniently) {
        return (given) => {
            const { id, message, callback, refusal } = read(given);
            return { __proto__: null, id, message, callback, error: refusal === undefined ? undefined : new NewError(refusal) };
        };
    }
    return (given) => {
        const values = check(spread(given));
        return { __proto__: null, id: values[0], message: values[1], callback: values[3], error: undefined };
    };
}
