// One-off messages: `sendMessage` and `onMessage`. Each travels over a channel of its
// own, which scripts never see. What comes back over it is `{response}`, `{error}`
// or, when a listener will answer later, `{pending: true}` before one of these. A response that is as long as
// messages may be has no room for more around it: it follows `{bare: true}`.

import { NewError, NewPromise, NewTypeError, apply, createRegistry, hasOwn, list, stringify } from "./intrinsics.js";
import { refused } from "./refusal.js";

/** @param {object} tools see port.js */
export function createOneOffMessages({ native, profile, lastError, codec, later, channels, kind }) {
    // Told of answers that nobody can give any more, by the numbers of their channels.
    const collected = createRegistry((number) => later(profile.collection, () => lose(number)));

    function lose(number) {
        const text = profile.answerCollected(kind);
        if (text === undefined || !channels.has(number)) {
            return;
        }
        if (text !== "") {
            native.postMessage(number, stringify({ __proto__: null, error: text }));
        }
        close(number);
    }

    function close(number) {
        if (channels.delete(number)) {
            native.disconnect(number);
        }
    }

    /** What a call gives, and what settles it once: a promise, or a callback that is told instead. */
    function waiting(callback) {
        if (callback === undefined) {
            let settle;
            const promise = new NewPromise((resolve, reject) => {
                settle = (response, error) => (error === undefined ? resolve(response) : reject(error));
            });
            return { __proto__: null, promise, settle };
        }
        const settle = (response, error, silence) => {
            const text = error?.message ?? silence;
            lastError.during(text, () => {
                try {
                    // Without an answer it has no argument.
                    if (text === undefined) {
                        callback(response);
                    } else {
                        callback();
                    }
                } catch (thrown) {
                    native.reportException(thrown);
                }
            });
        };
        return { __proto__: null, promise: undefined, settle };
    }

    /** What a call gives that fails before anything is sent. */
    function fail(error, callback) {
        const { promise, settle } = waiting(callback);
        later(0, () => settle(undefined, error));
        return promise;
    }

    /**
     * Sends a message and waits for the first answer.
     *
     * @param {object} method what errors about the method are made from
     * @param {() => number} connect opens the channel
     * @param {any} message
     * @param {Function} [callback] told instead of the promise that is given otherwise
     */
    function send(method, connect, message, callback) {
        let json;
        try {
            json = codec.encode(message);
        } catch (error) {
            // What cannot be serialized opens no channel.
            return fail(profile.unsendable(method, error), callback);
        }
        const number = connect();
        const refusal = native.postMessage(number, json);
        if (refusal !== undefined) {
            native.disconnect(number);
            const error = refused(profile, refusal);
            return fail(refusal === "TooLarge" ? profile.unsendable(method, error) : error, callback);
        }
        const { promise, settle } = waiting(callback);
        listen(number, settle);
        return promise;
    }

    /** Waits at the sender's side; `settle` is called once. */
    function listen(number, settle) {
        let isPending = false;
        // Whether the next message is the answer itself.
        let isBare = false;
        channels.set(number, {
            __proto__: null,
            isOneOff: true,
            /** Nobody can answer any more, whether or not somebody said that it would. */
            lose() {
                channels.delete(number);
                settle(undefined, new NewError(profile.answerLost));
            },
            message(answer) {
                if (!isBare && hasOwn(answer, "pending")) {
                    isPending = true;
                    return;
                }
                if (!isBare && hasOwn(answer, "bare")) {
                    isBare = true;
                    return;
                }
                close(number);
                if (isBare) {
                    settle(codec.decode(answer), undefined);
                    return;
                }
                const response = hasOwn(answer, "response") ? codec.decode(answer.response) : undefined;
                settle(response, hasOwn(answer, "error") ? new NewError(answer.error) : undefined);
            },
            disconnect(reason) {
                channels.delete(number);
                const lost = isBare ? profile.tooLarge : isPending ? profile.answerLost : undefined;
                const text = profile.disconnectErrors[reason] ?? lost;
                const error = text === undefined ? undefined : new NewError(text);
                const tell = () => settle(undefined, error, profile.noAnswer);
                if (profile.reachedNobody(reason)) {
                    later(profile.roundTrip, tell);
                } else {
                    tell();
                }
            },
        });
    }

    /** A message comes in for the listeners of an event; the first of them that answers or fails counts. */
    function receive(number, listeners, sender) {
        /** Answers and is done, unless it is refused: gives why. */
        function answer(json) {
            const refusal = native.postMessage(number, json);
            if (refusal === undefined) {
                close(number);
            }
            return refusal;
        }

        /** Answers with an error. If not even that can be said, the end of the channel says it. */
        function refuse(error) {
            if (channels.has(number)) {
                answer(stringify({ __proto__: null, error }));
                close(number);
            }
        }

        /** An answer was refused; gives the error that the listener is to have for it. */
        function answerRefused(json, refusal) {
            // As long as a message may be: it goes as one of its own, or the end of the channel tells that it is longer.
            const isRefused = refusal !== "TooLarge" || native.postMessage(number, '{"bare":true}') !== undefined;
            if (!isRefused && answer(json) === undefined) {
                return undefined;
            }
            const error = refused(profile, refusal);
            if (isRefused) {
                refuse(error.message);
            } else {
                close(number);
            }
            return refusal === "TooLarge" && profile.refusesAnswers ? new NewTypeError(error.message) : error;
        }

        /** Answers; gives the error that the listener is to have for it. */
        function respond(response) {
            if (!channels.has(number)) {
                return undefined;
            }
            let json;
            try {
                json = codec.encode(response);
            } catch {
                refuse(profile.unserializableAnswer);
                return profile.refusesAnswers ? new NewTypeError(profile.unserializableAnswer) : undefined;
            }
            const refusal = answer(`{"response":${json}}`);
            return refusal === undefined ? undefined : answerRefused(json, refusal);
        }

        channels.set(number, {
            __proto__: null,
            isOneOff: true,
            lose() {
                channels.delete(number);
            },
            message(message) {
                let isPending = false;
                // Held by whatever can still answer, and by nothing else.
                const hold = { __proto__: null, respond, refuse };
                const sendResponse = (response) => {
                    const error = hold.respond(response);
                    if (error !== undefined) {
                        throw error;
                    }
                };
                const onResult = (result) => {
                    const then = result?.then;
                    if (typeof then === "function") {
                        isPending = true;
                        const fulfilled = (value) => hold.respond(value);
                        apply(then, result, list(fulfilled, (error) => hold.refuse(profile.rejection(error))));
                    } else if (result === true) {
                        isPending = true;
                    }
                };
                const onError = (error) => {
                    native.reportException(error);
                    refuse(profile.rejection(error));
                };
                listeners.dispatchTo(list(codec.decode(message), sender, sendResponse), onResult, onError);
                if (!isPending) {
                    close(number);
                } else if (channels.has(number)) {
                    collected?.register(hold, number);
                    const refusal = native.postMessage(number, '{"pending":true}');
                    // Where the listener's own extension was unloaded meanwhile, nobody is left to be told.
                    if (refusal !== undefined && refusal !== "Gone") {
                        native.reportException(refused(profile, refusal));
                    }
                }
            },
            disconnect() {
                channels.delete(number);
            },
        });
    }

    return { __proto__: null, send, fail, receive };
}
