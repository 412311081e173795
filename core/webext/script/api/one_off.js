// One-off messages: `sendMessage` and `onMessage`. Each travels over a channel of its
// own, which scripts never see. What comes back over it is `{response}`, `{error}`
// or, when a listener will answer later, `{pending: true}` before one of these.

// Scripts may replace the global functions later.
const { stringify } = JSON;

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
            promise = new Promise((resolve, reject) => {
                settle = (response, { error }) => (error === undefined ? resolve(response) : reject(error));
            });
        } else {
            settle = (response, { error, silence }) => {
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
            later(0, () => settle(undefined, { error: refusal }));
            return promise;
        }
        const number = connect();
        native.postMessage(number, json);
        listen(number, settle);
        return promise;
    }

    /** Waits at the sender's side; `settle` is called once. */
    function listen(number, settle) {
        let isPending = false;
        channels.set(number, {
            message(answer) {
                if (answer.pending) {
                    isPending = true;
                    return;
                }
                close(number);
                const response = "response" in answer ? codec.decode(answer.response) : undefined;
                settle(response, { error: answer.error === undefined ? undefined : new Error(answer.error) });
            },
            disconnect(reason) {
                channels.delete(number);
                const text = profile.disconnectErrors[reason] ?? (isPending ? profile.answerLost : undefined);
                const error = text === undefined ? undefined : new Error(text);
                const tell = () => settle(undefined, { error, silence: profile.noAnswer });
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
        const answer = (json) => {
            if (channels.has(number)) {
                native.postMessage(number, json);
                close(number);
            }
        };
        const refuse = (error) => answer(stringify({ error }));

        function respond(response) {
            let json;
            try {
                json = codec.encode(response);
            } catch {
                refuse(profile.unserializableAnswer);
                return false;
            }
            answer(`{"response":${json}}`);
            return true;
        }

        function sendResponse(response) {
            if (channels.has(number) && !respond(response) && profile.refusesAnswers) {
                throw new TypeError(profile.unserializableAnswer);
            }
        }

        channels.set(number, {
            message(message) {
                let isPending = false;
                const onResult = (result) => {
                    if (typeof result?.then === "function") {
                        isPending = true;
                        result.then(respond, (error) => refuse(profile.rejection(error)));
                    } else if (result === true) {
                        isPending = true;
                    }
                };
                const onError = (error) => {
                    native.reportException(error);
                    refuse(profile.rejection(error));
                };
                listeners.dispatchTo([codec.decode(message), sender, sendResponse], onResult, onError);
                if (!isPending) {
                    close(number);
                } else if (channels.has(number)) {
                    native.postMessage(number, stringify({ pending: true }));
                }
            },
            disconnect() {
                channels.delete(number);
            },
        });
    }

    return { send, receive };
}
