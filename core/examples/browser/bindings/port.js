// `runtime.Port`.

import { createEvent } from "./event.js";

// Scripts may replace the global functions later.
const { parse } = JSON;

/**
 * @param {object} tools `native`: `postMessage`, `disconnect`, `reportException`; `profile`: the
 *   browser to follow; `lastError`: see last_error.js; `codec`: see clone.js; `later`: see timers.js;
 *   `channels`: the open channels of the world, by the numbers under which the browser
 *   knows them, with what is done about a message and about the end
 * @returns {Function} makes the port of a new channel; `sender` is undefined at the opener's side
 */
export function createPorts({ native, profile, lastError, codec, later, channels }) {
    return (number, name, sender) => {
        let isOpen = true;
        // Whether the end is known and not told yet: posts go nowhere.
        let isEnding = false;
        const onMessage = createEvent(native, profile);
        const onDisconnect = createEvent(native, profile);

        function postMessage(...given) {
            if (profile.methodsNeedTheirPort) {
                check(this);
                if (given.length === 0) {
                    throw new TypeError("Insufficient number of arguments.");
                }
            }
            if (!isOpen) {
                throw new Error(profile.closedPort);
            }
            const json = codec.encode(given[0]);
            if (!isEnding) {
                post(native, profile, number, json);
            }
        }

        function disconnect() {
            if (profile.methodsNeedTheirPort) {
                check(this);
            }
            if (isOpen) {
                isOpen = false;
                channels.delete(number);
                native.disconnect(number);
                invalidate();
            }
        }

        function check(object) {
            if (object !== port) {
                throw new TypeError("Illegal invocation: Function must be called on an object of type Port");
            }
        }

        const port = { name, disconnect, onDisconnect: undefined, onMessage: undefined, postMessage, sender };
        if (profile.portsHaveError) {
            port.error = null;
        }
        const invalidate = lazily(profile, port, { onMessage: onMessage.event, onDisconnect: onDisconnect.event });

        function end(reason) {
            // Closed before its listeners hear of it: what they post is refused.
            isOpen = false;
            const text = profile.disconnectErrors[reason];
            if (profile.portsHaveError) {
                port.error = text === undefined ? null : new Error(text);
                onDisconnect.dispatch(port);
            } else {
                lastError.during(text, () => onDisconnect.dispatch(port));
            }
            invalidate();
        }

        channels.set(number, {
            message(json) {
                if (isOpen) {
                    onMessage.dispatch(codec.decode(parse(json)), port);
                }
            },
            disconnect(reason) {
                channels.delete(number);
                if (reason === "NoReceiver") {
                    // In browsers the answer comes from another process.
                    isEnding = true;
                    later(profile.roundTrip, () => isOpen && end(reason));
                } else {
                    end(reason);
                }
            },
        });
        return port;
    };
}

/**
 * Gives a port its events. Where a browser makes them when they are first asked for, it
 * makes none after the port's end: the result is to be called then.
 */
function lazily(profile, port, events) {
    if (!profile.eventsAreLazy) {
        Object.assign(port, events);
        return () => {};
    }
    const set = (name, value) =>
        Object.defineProperty(port, name, { value, writable: true, enumerable: true, configurable: true });
    let hasEnded = false;
    for (const [name, event] of Object.entries(events)) {
        Object.defineProperty(port, name, {
            get() {
                if (hasEnded) {
                    throw new Error(`Failed to read the '${name}' property from 'Object': Extension context invalidated.`);
                }
                set(name, event);
                return event;
            },
            set: (value) => set(name, value),
            enumerable: true,
            configurable: true,
        });
    }
    return () => {
        hasEnded = true;
    };
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
