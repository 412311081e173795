// `runtime.Port`.

import { Listeners, createEvent } from "./event.js";

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

// States of a channel. While its end is under way, posts go nowhere; while it is told,
// events can still be made.
const OPEN = 0;
const ENDING = 1;
const TELLING = 2;
const CLOSED = 3;

/** One end of a channel: what a port does, and what is done to it. */
class Channel {
    constructor(tools, number) {
        this.tools = tools;
        this.number = number;
        this.state = OPEN;
        // Until it is closed: what is closed is in no circle, and gone with its last user.
        this.port = undefined;
        // Each event and its listeners, once somebody asked for it.
        this.onMessage = undefined;
        this.onDisconnect = undefined;
    }

    /** `postMessage`. */
    post(message) {
        const { profile, codec } = this.tools;
        if (this.state >= TELLING) {
            throw new Error(profile.closedPort);
        }
        if (this.state === ENDING) {
            codec.encode(message);
            return;
        }
        const refusal = codec.post(this.number, message);
        if (refusal !== undefined) {
            throw refused(profile, refusal);
        }
    }

    /** `disconnect`, called by a script of this side. */
    disconnectHere() {
        if (this.state < TELLING) {
            const { native, channels } = this.tools;
            channels.delete(this.number);
            native.disconnect(this.number);
            this.close();
        }
    }

    close() {
        this.state = CLOSED;
        this.port = undefined;
        if (this.tools.profile.forgetsListeners) {
            this.onMessage?.listeners.clear();
            this.onDisconnect?.listeners.clear();
        }
    }

    /** A message came. */
    message(message) {
        if (this.state < TELLING) {
            this.onMessage?.listeners.dispatchTwo(this.tools.codec.decode(message), this.port);
        }
    }

    /** The channel ended from elsewhere. */
    disconnect(reason) {
        const { profile, channels, later } = this.tools;
        channels.delete(this.number);
        if (reason === "NoReceiver") {
            // In browsers the answer comes from another process.
            this.state = ENDING;
            later(profile.roundTrip, () => this.state === ENDING && this.end(reason));
        } else {
            this.end(reason);
        }
    }

    end(reason) {
        const { profile, lastError } = this.tools;
        const { port } = this;
        const text = profile.disconnectErrors[reason];
        // Closed before its listeners hear of it: what they post is refused.
        this.state = TELLING;
        if (profile.portsHaveError) {
            port.error = text === undefined ? null : new Error(text);
            this.onDisconnect?.listeners.dispatchOne(port);
        } else if (this.onDisconnect !== undefined || text !== undefined) {
            lastError.during(text, () => this.onDisconnect?.listeners.dispatchOne(port));
        }
        this.close();
    }

    /** An event, made when it is first asked for: none is made after the port's end. */
    event(name) {
        if (this[name] === undefined) {
            const { native, profile } = this.tools;
            if (this.state === CLOSED) {
                throw new Error(`Failed to read the '${name}' property from 'Object': Extension context invalidated.`);
            }
            const listeners = new Listeners(native, profile);
            this[name] = { listeners, event: createEvent(listeners, profile) };
        }
        return this[name].event;
    }
}

/** A port with everything there, whose methods are its own. */
function createPort(channel, { profile }, name, senderJson) {
    const sender = senderJson === undefined ? undefined : parse(senderJson);
    return {
        name,
        sender,
        ...(profile.portsHaveError ? { error: null } : undefined),
        onMessage: channel.event("onMessage"),
        onDisconnect: channel.event("onDisconnect"),
        postMessage: (...given) => channel.post(given[0]),
        disconnect: () => channel.disconnectHere(),
    };
}

// The channels behind ports whose methods are shared.
const channelOf = new WeakMap();

function behind(port) {
    const channel = channelOf.get(port);
    if (channel === undefined) {
        throw new TypeError("Illegal invocation: Function must be called on an object of type Port");
    }
    return channel;
}

const methods = {
    disconnect() {
        behind(this).disconnectHere();
    },
    postMessage(...given) {
        const channel = behind(this);
        if (given.length === 0) {
            throw new TypeError("Insufficient number of arguments.");
        }
        channel.post(given[0]);
    },
};

/** A port whose events and sender are made when they are first asked for. */
function createLazyPort(channel, tools, name, senderJson) {
    let sender;
    const { disconnect, postMessage } = methods;
    const port = {
        get sender() {
            sender ??= senderJson === undefined ? undefined : parse(senderJson);
            return sender;
        },
        set sender(value) {
            replace(this, "sender", value);
        },
        get onMessage() {
            return channel.event("onMessage");
        },
        set onMessage(value) {
            replace(this, "onMessage", value);
        },
        get onDisconnect() {
            return channel.event("onDisconnect");
        },
        set onDisconnect(value) {
            replace(this, "onDisconnect", value);
        },
        name,
        disconnect,
        postMessage,
    };
    channelOf.set(port, channel);
    return port;
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
