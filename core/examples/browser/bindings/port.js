// `runtime.Port`.

import { Listeners } from "./event.js";

// Scripts may replace the global functions later.
const { parse } = JSON;

/**
 * @param {object} tools `native`: `disconnect`, `reportException`; `profile`: the browser to
 *   follow; `lastError`: see last_error.js; `codec`: see clone.js; `later`: see timers.js;
 *   `channels`: the open channels of the world, by the numbers under which the browser
 *   knows them, with what is done about a message and about the end
 * @returns {Function} makes the port of a new channel; `senderJson` is undefined at the opener's side
 */
export function createPorts(tools) {
    const create = tools.profile.eventsAreLazy ? createLazyPort : createPort;
    return (number, name, senderJson) => {
        const channel = new Channel(tools, number);
        channel.port = create(channel, tools, name, senderJson);
        tools.channels.set(number, channel);
        return channel.port;
    };
}

/** One end of a channel: what a port does, and what is done to it. */
class Channel {
    constructor(tools, number) {
        this.tools = tools;
        this.number = number;
        this.port = undefined;
        this.isOpen = true;
        // Whether the end is known and not told yet: posts go nowhere.
        this.isEnding = false;
        // Whether the end is being told: meanwhile events can still be made.
        this.isTelling = false;
        this.onMessage = new Listeners(tools.native, tools.profile);
        this.onDisconnect = new Listeners(tools.native, tools.profile);
    }

    /** `postMessage`, called on something with these arguments. */
    post(object, given) {
        const { profile, codec } = this.tools;
        if (profile.methodsNeedTheirPort) {
            this.check(object);
            if (given.length === 0) {
                throw new TypeError("Insufficient number of arguments.");
            }
        }
        if (!this.isOpen) {
            throw new Error(profile.closedPort);
        }
        if (this.isEnding) {
            codec.encode(given[0]);
            return;
        }
        const refusal = codec.post(this.number, given[0]);
        if (refusal !== undefined) {
            throw refused(profile, refusal);
        }
    }

    /** `disconnect`, called on something. */
    disconnectBy(object) {
        const { native, profile, channels } = this.tools;
        if (profile.methodsNeedTheirPort) {
            this.check(object);
        }
        if (this.isOpen) {
            this.isOpen = false;
            channels.delete(this.number);
            native.disconnect(this.number);
        }
    }

    check(object) {
        if (object !== this.port) {
            throw new TypeError("Illegal invocation: Function must be called on an object of type Port");
        }
    }

    /** A message came. */
    message(message) {
        if (this.isOpen) {
            this.onMessage.dispatch(this.tools.codec.decode(message), this.port);
        }
    }

    /** The channel ended from elsewhere. */
    disconnect(reason) {
        const { profile, channels, later } = this.tools;
        channels.delete(this.number);
        if (reason === "NoReceiver") {
            // In browsers the answer comes from another process.
            this.isEnding = true;
            later(profile.roundTrip, () => this.isOpen && this.end(reason));
        } else {
            this.end(reason);
        }
    }

    end(reason) {
        const { profile, lastError } = this.tools;
        const { port } = this;
        const text = profile.disconnectErrors[reason];
        // Closed before its listeners hear of it: what they post is refused.
        this.isOpen = false;
        this.isTelling = true;
        if (profile.portsHaveError) {
            port.error = text === undefined ? null : new Error(text);
            this.onDisconnect.dispatch(port);
        } else {
            lastError.during(text, () => this.onDisconnect.dispatch(port));
        }
        this.isTelling = false;
    }

    /** An event that is made when it is first asked for: none is made after the port's end. */
    lazyEvent(name) {
        const listeners = this[name];
        if (!this.isOpen && !this.isTelling && listeners.shown === undefined) {
            throw new Error(`Failed to read the '${name}' property from 'Object': Extension context invalidated.`);
        }
        return listeners.event;
    }
}

/** A port with everything there. */
function createPort(channel, { profile }, name, senderJson) {
    const port = {
        name,
        disconnect() {
            channel.disconnectBy(this);
        },
        onDisconnect: channel.onDisconnect.event,
        onMessage: channel.onMessage.event,
        postMessage(...given) {
            channel.post(this, given);
        },
        sender: senderJson === undefined ? undefined : parse(senderJson),
    };
    if (profile.portsHaveError) {
        port.error = null;
    }
    return port;
}

/** A port whose events and sender are made when they are first asked for. */
function createLazyPort(channel, tools, name, senderJson) {
    let sender;
    return {
        name,
        disconnect() {
            channel.disconnectBy(this);
        },
        get onDisconnect() {
            return channel.lazyEvent("onDisconnect");
        },
        set onDisconnect(value) {
            replace(this, "onDisconnect", value);
        },
        get onMessage() {
            return channel.lazyEvent("onMessage");
        },
        set onMessage(value) {
            replace(this, "onMessage", value);
        },
        postMessage(...given) {
            channel.post(this, given);
        },
        get sender() {
            sender ??= senderJson === undefined ? undefined : parse(senderJson);
            return sender;
        },
        set sender(value) {
            replace(this, "sender", value);
        },
    };
}

const { defineProperty } = Object;

/** What assigning to a plain property does. */
function replace(object, name, value) {
    defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

function refused(profile, refusal) {
    switch (refusal) {
        case "Disconnected":
            return new Error(profile.closedPort);
        case "TooLarge":
            return new Error(profile.tooLarge);
        case "Unserializable":
            return profile.unserializable(new Error("The message could not be cloned."));
        case "Gone":
            return new Error("Extension context invalidated.");
        default:
            return new Error(`The message was not sent: ${refusal}`);
    }
}
