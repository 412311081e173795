// `runtime.Port`.

import { createEvent } from "./event.js";

// Scripts may replace the global functions later.
const { parse, stringify } = JSON;

/**
 * @param {object} native `postMessage`, `disconnect`, `reportException`
 * @param {object} profile the browser to follow
 * @param {object} lastError see last_error.js
 * @param {Map<number, {message: Function, disconnect: Function}>} channels the open
 *   channels of the world, by the numbers under which the browser knows them, with
 *   what is done about a message and about the end
 * @returns {Function} makes the port of a new channel; `sender` is undefined at the opener's side
 */
export function createPorts(native, profile, lastError, channels) {
    return (number, name, sender) => {
        const onMessage = createEvent(native, profile);
        const onDisconnect = createEvent(native, profile);
        const port = {
            name,
            sender,
            onMessage: onMessage.event,
            onDisconnect: onDisconnect.event,
            postMessage(message) {
                if (!channels.has(number)) {
                    throw new Error(profile.closedPort);
                }
                post(native, profile, number, serialize(profile, message));
            },
            disconnect() {
                if (channels.delete(number)) {
                    native.disconnect(number);
                }
            },
        };
        if (profile.portsHaveError) {
            port.error = null;
        }

        channels.set(number, {
            message(json) {
                onMessage.dispatch(parse(json), port);
            },
            disconnect(reason) {
                // Closed before its listeners hear of it: what they post is refused.
                channels.delete(number);
                const text = profile.disconnectErrors[reason];
                if (profile.portsHaveError) {
                    port.error = text === undefined ? null : new Error(text);
                    onDisconnect.dispatch(port);
                } else {
                    lastError.during(text, () => onDisconnect.dispatch(port));
                }
            },
        });
        return port;
    };
}

/** The message as JSON; `undefined` as a whole message becomes `null`. */
export function serialize(profile, message) {
    let json;
    try {
        json = stringify(message === undefined ? null : message);
    } catch (error) {
        throw profile.unserializable(error);
    }
    if (json === undefined) {
        // A function, a symbol, or a toJSON() that gives undefined.
        throw profile.unserializable(new Error("The message could not be cloned."));
    }
    return json;
}

function post(native, profile, number, json) {
    const refusal = native.postMessage(number, json);
    switch (refusal) {
        case undefined:
            return;
        case "Disconnected":
            throw new Error(profile.closedPort);
        case "TooLarge":
            throw new Error(profile.tooLarge);
        case "Gone":
            throw new Error("Extension context invalidated.");
        default:
            throw new Error(`The message was not sent: ${refusal}`);
    }
}
