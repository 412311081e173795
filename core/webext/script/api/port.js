// `runtime.Port`.

import { createChannelClass } from "./channel.js";

// Scripts may replace the global functions later.
const { parse } = JSON;
const { defineProperty, getOwnPropertyDescriptors, getPrototypeOf } = Object;

/**
 * @param {object} tools `native`: `disconnect`, `makePort`, `proxyTarget`, `reportException`; `profile`:
 *   the browser to follow; `lastError`: see last_error.js; `codec`: see clone.js; `later`: see timers.js;
 *   `channels`: the open channels of the world, by the numbers under which the browser
 *   knows them, with what is done about a message and about the end
 * @returns {Function} makes the port of a new channel; `senderJson` is undefined at the opener's side
 */
export function createPorts(tools) {
    const { native, profile } = tools;
    const Channel = createChannelClass(tools);
    const create = profile.eventsAreLazy ? createLazyPorts(native) : (channel, name) => createPort(channel, profile, name);
    return (number, name, senderJson) => {
        const channel = new Channel(number, senderJson);
        const port = create(channel, name);
        channel.port = port;
        return port;
    };
}

/** A port with everything there, whose methods are its own. */
function createPort(channel, profile, name) {
    return {
        name,
        sender: senderOf(channel),
        ...(profile.portsHaveError ? { error: null } : undefined),
        onMessage: channel.onMessage,
        onDisconnect: channel.onDisconnect,
        postMessage: (...given) => channel.post(given[0]),
        disconnect: () => channel.disconnectHere(),
    };
}

function senderOf({ senderJson }) {
    return senderJson === undefined ? undefined : parse(senderJson);
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

/**
 * Ports whose events and sender are made when they are first asked for, by accessors that all of
 * them share: to make such functions for each port would take longer than all the rest of it.
 */
function createLazyPorts(native) {
    /** The channel behind the port that a property is read from, be it through a proxy or by inheritance. */
    function channelRead(from) {
        for (let object = from; object != null; object = native.proxyTarget(object) ?? getPrototypeOf(object)) {
            const channel = channelOf.get(object);
            if (channel !== undefined) {
                return channel;
            }
        }
        return behind(from);
    }

    const { sender, onMessage, onDisconnect } = getOwnPropertyDescriptors({
        get sender() {
            const channel = channelRead(this);
            channel.sender ??= senderOf(channel);
            return channel.sender;
        },
        set sender(value) {
            replace(this, "sender", value);
        },
        get onMessage() {
            return channelRead(this).onMessage;
        },
        set onMessage(value) {
            replace(this, "onMessage", value);
        },
        get onDisconnect() {
            return channelRead(this).onDisconnect;
        },
        set onDisconnect(value) {
            replace(this, "onDisconnect", value);
        },
    });
    const accessors = [sender, onMessage, onDisconnect].flatMap(({ get, set }) => [get, set]);
    const functions = [...accessors, methods.disconnect, methods.postMessage];

    return (channel, name) => {
        const port = native.makePort(functions, name);
        channelOf.set(port, channel);
        return port;
    };
}

/** What assigning to a plain property does. */
function replace(object, name, value) {
    defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}
