// One-off messages: `sendMessage` and `onMessage`. Each travels over a channel of its
// own, which scripts never see. What comes back over it is `{response}`, `{error}`
// or, when a listener will answer later, `{pending: true}` before one of these.

// Scripts may replace the global functions later.
const { parse, stringify } = JSON;

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
     * @param {() => number} connect opens the channel
     * @param {any} message
     * @param {Function} [callback] told instead of the promise that is given otherwise
     */
    function send(connect, message, callback) {
        // Before the channel is opened: what cannot be serialized opens none.
        const json = codec.encode(message);
        const number = connect();
        native.postMessage(number, json);
        if (callback !== undefined) {
            listen(number, (response, { error, silence }) => {
                lastError.during(error ?? silence, () => {
                    try {
                        callback(response);
                    } catch (thrown) {
                        native.reportException(thrown);
                    }
                });
            });
            return undefined;
        }
        return new Promise((resolve, reject) => {
            listen(number, (response, { error }) => (error === undefined ? resolve(response) : reject(new Error(error))));
        });
    }

    /** Waits at the sender's side; `settle` is called once. */
    function listen(number, settle) {
        let isPending = false;
        channels.set(number, {
            message(json) {
                const answer = parse(json);
                if (answer.pending) {
                    isPending = true;
                    return;
                }
                close(number);
                const response = "response" in answer ? codec.decode(answer.response) : undefined;
                settle(response, { error: answer.error });
            },
            disconnect(reason) {
                channels.delete(number);
                const error = profile.disconnectErrors[reason] ?? (isPending ? profile.answerLost : undefined);
                const tell = () => settle(undefined, { error, silence: profile.noAnswer });
                if (reason === "NoReceiver") {
                    later(profile.roundTrip, tell);
                } else {
                    tell();
                }
            },
        });
    }

    /** A message comes in for the listeners of an event. */
    function receive(number, { dispatch }, sender) {
        channels.set(number, {
            message(json) {
                const answer = (content) => {
                    if (channels.has(number)) {
                        native.postMessage(number, content);
                        close(number);
                    }
                };
                const sendResponse = (response) => answer(`{"response":${codec.encode(response)}}`);
                const results = dispatch(codec.decode(parse(json)), sender, sendResponse);
                const promises = results.filter((result) => typeof result?.then === "function");
                for (const promise of promises) {
                    promise.then(sendResponse, (error) => answer(stringify({ error: profile.rejection(error) })));
                }
                if (promises.length === 0 && !results.includes(true)) {
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
