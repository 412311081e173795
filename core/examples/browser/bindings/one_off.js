// One-off messages: `sendMessage` and `onMessage`. Each travels over a channel of its
// own, which scripts never see. What comes back over it is `{response}`, `{error}`
// or, when a listener will answer later, `{pending: true}` before one of these.

import { serialize } from "./port.js";

const { parse, stringify } = JSON;

/**
 * @param {object} native `postMessage`, `disconnect`, `reportException`
 * @param {object} profile the browser to follow
 * @param {object} lastError see last_error.js
 * @param {Map} channels see port.js
 */
export function createOneOffMessages(native, profile, lastError, channels) {
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
        const json = serialize(profile, message);
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
                settle(answer.response, { error: answer.error });
            },
            disconnect(reason) {
                channels.delete(number);
                const error = profile.disconnectErrors[reason] ?? (isPending ? profile.answerLost : undefined);
                settle(undefined, { error, silence: profile.noAnswer });
            },
        });
    }

    /** A message comes in for the listeners of an event. */
    function receive(number, { dispatch }, sender) {
        channels.set(number, {
            message(json) {
                const answer = (content) => {
                    if (channels.has(number)) {
                        native.postMessage(number, stringify(content));
                        close(number);
                    }
                };
                const sendResponse = (response) => answer({ response });
                const results = dispatch(parse(json), sender, sendResponse);
                const promises = results.filter((result) => typeof result?.then === "function");
                for (const promise of promises) {
                    promise.then(sendResponse, (error) => answer({ error: profile.rejection(error) }));
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
