// One-off messages: `sendMessage` and `onMessage`. Each travels over a channel of its
// own, which scripts never see. What comes back over it is `{response}`, `{error}`
// or, when a listener will answer later, `{pending: true}` before one of these.

import { NewError, NewPromise, NewTypeError, apply, hasOwn, list, stringify } from "./intrinsics.js";
import { refused } from "./refusal.js";

/** @param {object} tools see port.js */
export function createOneOffMessages({ native, profile, lastError, codec, later, channels }) {
    function close(number) {
        if (channels.delete(number)) {
            native.disconnect(number);
        }
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
        let settle;
        let promise;
        if (callback === undefined) {
            promise = new NewPromise((resolve, reject) => {
                settle = (response, error) => (error === undefined ? resolve(response) : reject(error));
            });
        } else {
            settle = (response, error, silence) => {
                lastError.during(error?.message ?? silence, () => {
                    try {
                        callback(response);
                    } catch (thrown) {
                        native.reportException(thrown);
                    }
                });
            };
        }
        let json;
        try {
            json = codec.encode(message);
        } catch (error) {
            // What cannot be serialized opens no channel.
            const refusal = profile.unsendable(method, error);
            later(0, () => settle(undefined, refusal));
            return promise;
        }
        const number = connect();
        const refusal = native.postMessage(number, json);
        if (refusal !== undefined) {
            native.disconnect(number);
            const error = refused(profile, refusal);
            const told = refusal === "TooLarge" ? profile.unsendable(method, error) : error;
            later(0, () => settle(undefined, told));
            return promise;
        }
        listen(number, settle);
        return promise;
    }

    /** Waits at the sender's side; `settle` is called once. */
    function listen(number, settle) {
        let isPending = false;
        channels.set(number, {
            __proto__: null,
            message(answer) {
                if (hasOwn(answer, "pending")) {
                    isPending = true;
                    return;
                }
                close(number);
                const response = hasOwn(answer, "response") ? codec.decode(answer.response) : undefined;
                settle(response, hasOwn(answer, "error") ? new NewError(answer.error) : undefined);
            },
            disconnect(reason) {
                channels.delete(number);
                const text = profile.disconnectErrors[reason] ?? (isPending ? profile.answerLost : undefined);
                const error = text === undefined ? undefined : new NewError(text);
                const tell = () => settle(undefined, error, profile.noAnswer);
                if (reason === "NoReceiver") {
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
            if (refusal === undefined) {
                return undefined;
            }
            const error = refused(profile, refusal);
            refuse(error.message);
            return refusal === "TooLarge" && profile.refusesAnswers ? new NewTypeError(error.message) : error;
        }

        function sendResponse(response) {
            const error = respond(response);
            if (error !== undefined) {
                throw error;
            }
        }

        channels.set(number, {
            __proto__: null,
            message(message) {
                let isPending = false;
                const onResult = (result) => {
                    const then = result?.then;
                    if (typeof then === "function") {
                        isPending = true;
                        apply(then, result, list(respond, (error) => refuse(profile.rejection(error))));
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
                    const refusal = native.postMessage(number, '{"pending":true}');
                    if (refusal !== undefined) {
                        native.reportException(refused(profile, refusal));
                    }
                }
            },
            disconnect() {
                channels.delete(number);
            },
        });
    }

    return { __proto__: null, send, receive };
}
