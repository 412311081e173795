// `runtime.Port`.

import { createChannelClass } from "./channel.js";
import { NewTypeError, assign, createWeakMap, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, parse } from "./intrinsics.js";

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
const channelOf = createWeakMap();

function behind(port) {
    const channel = channelOf.get(port);
    if (channel === undefined) {
        throw new NewTypeError("Illegal invocation: Function must be called on an object of type Port");
    }
    return channel;
}

const methods = {
    __proto__: null,
    disconnect() {
        behind(this).disconnectHere();
    },
    postMessage(...given) {
        const channel = behind(this);
        if (given.length === 0) {
            throw new NewTypeError("Insufficient number of arguments.");
        }
        channel.post(given[0]);
    },
};

/**
 * Ports whose events and sender are made when they are first asked for, by accessors that all of
 * them share: to make such functions for each port would take longer than all the rest of it.
 */
function createLazyPorts(native) {
    const { proxyTarget = () => undefined } = native;

    /** The channel behind the port that a property is read from, be it through a proxy or by inheritance. */
    function channelRead(from) {
        for (let object = from; object != null; object = proxyTarget(object) ?? getPrototypeOf(object)) {
            const channel = channelOf.get(object);
            if (channel !== undefined) {
                return channel;
            }
        }
        return behind(from);
    }

    const accessors = {
        __proto__: null,
        get sender() {
            const channel = channelRead(this);
            channel.sender ??= senderOf(channel);
            return channel.sender;
        },
        set sender(value) {
            assign(this, "sender", value);
        },
        get onMessage() {
            return channelRead(this).onMessage;
        },
        set onMessage(value) {
            assign(this, "onMessage", value);
        },
        get onDisconnect() {
            return channelRead(this).onDisconnect;
        },
        set onDisconnect(value) {
            assign(this, "onDisconnect", value);
        },
    };
    const { disconnect, postMessage } = methods;
    const functions = [
        getOwnPropertyDescriptor(accessors, "sender").get,
        getOwnPropertyDescriptor(accessors, "sender").set,
        getOwnPropertyDescriptor(accessors, "onMessage").get,
        getOwnPropertyDescriptor(accessors, "onMessage").set,
        getOwnPropertyDescriptor(accessors, "onDisconnect").get,
        getOwnPropertyDescriptor(accessors, "onDisconnect").set,
        disconnect,
        postMessage,
    ];
    const { makePort = createPortOf } = native;

    return (channel, name) => {
        const port = makePort(functions, name);
        channelOf.set(port, channel);
        return port;
    };
}

/** Makes a port, where the engine's glue has no faster way: see `makePort` in host.d.ts. */
function createPortOf(functions, name) {
    const port = {};
    const accessor = (property, index) => {
        const descriptor = { __proto__: null, get: functions[index], set: functions[index + 1], enumerable: true, configurable: true };
        defineProperty(port, property, descriptor);
    };
    accessor("sender", 0);
    accessor("onMessage", 2);
    accessor("onDisconnect", 4);
    assign(port, "name", name);
    assign(port, "disconnect", functions[6]);
    assign(port, "postMessage", functions[7]);
    return port;
}
