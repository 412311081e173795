// `runtime.Port`.

import { createEvent } from "./event.js";

// Scripts may replace the global functions later.
const { parse, stringify } = JSON;

/**
 * The ports of a world. Each has a number by which the browser knows it.
 *
 * @param {object} native `postMessage`, `disconnect`, `reportException`
 * @param {object} profile the browser to follow
 * @param {object} lastError see last_error.js
 */
export function createPorts(native, profile, lastError) {
    const ports = new Map();

    /** Makes the port with this number. `sender` is undefined at the opener's side. */
    function create(number, name, sender) {
        const onMessage = createEvent(native, profile);
        const onDisconnect = createEvent(native, profile);
        const port = {
            name,
            sender,
            onMessage: onMessage.event,
            onDisconnect: onDisconnect.event,
            postMessage(message) {
                if (!ports.has(number)) {
                    throw new Error(profile.closedPort);
                }
                post(native, profile, number, serialize(profile, message));
            },
            disconnect() {
                if (ports.delete(number)) {
                    native.disconnect(number);
                }
            },
        };
        if (profile.portsHaveError) {
            port.error = null;
        }
        ports.set(number, { port, onMessage, onDisconnect });
        return port;
    }

    /** Delivers a message, as JSON. One that comes after the port's end is dropped. */
    function message(number, json) {
        const held = ports.get(number);
        held?.onMessage.dispatch(parse(json), held.port);
    }

    /** Ends a port, for the reason that the core gave. */
    function disconnect(number, reason) {
        const held = ports.get(number);
        if (held === undefined) {
            return;
        }
        // Closed before its listeners hear of it: what they post is refused.
        ports.delete(number);
        const text = profile.disconnectErrors[reason];
        if (profile.portsHaveError) {
            held.port.error = text === undefined ? null : new Error(text);
            held.onDisconnect.dispatch(held.port);
        } else {
            lastError.during(text, () => held.onDisconnect.dispatch(held.port));
        }
    }

    return { create, message, disconnect };
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
