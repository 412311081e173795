// The extension APIs: `runtime`, and for pages of the extension `tabs` and `action`.

import { createChecker } from "./arguments.js";
import { createCalls } from "./calls.js";
import { createEvent } from "./event.js";
import { createLastError } from "./last_error.js";
import { createOneOffMessages } from "./one_off.js";
import { createPorts } from "./port.js";
import { profiles } from "./profile.js";

const integer = (name, rest) => ({ name, type: "integer", ...rest });
const string = (name, rest) => ({ name, type: "string", ...rest });
const boolean = (name, rest) => ({ name, type: "boolean", ...rest });
const object = (name, properties, rest) => ({ name, type: "object", properties, ...rest });

const any = (name) => ({ name, type: "any" });

const optional = { optional: true };
const callback = { name: "callback", type: "function", ...optional };
const tabId = integer("tabId", { minimum: 0 });
const optionalTabId = { ...tabId, ...optional };

/**
 * @param {object} native functions of the browser
 * @param {object} world see main.js
 * @returns {{api: object, deliver: object}} what scripts see, and how tasks reach it
 */
export function createApi(native, world) {
    const profile = profiles[world.profile];
    const lastError = createLastError(native);
    const channels = new Map();
    const createPort = createPorts(native, profile, lastError, channels);
    const oneOff = createOneOffMessages(native, profile, lastError, channels);
    const calls = createCalls(native, profile, lastError);
    const incoming = createIncoming(native, profile);
    const events = new Map();

    /** An event that the browser process emits under a name. */
    function emitted(name) {
        const { event, dispatch } = createEvent(native, profile);
        events.set(name, dispatch);
        return event;
    }

    const tools = { native, profile, lastError, createPort, oneOff, calls, emitted };
    const api = { runtime: createRuntime(tools, world.extension, incoming) };
    if (world.kind !== "content-script") {
        api.runtime.onConnectExternal = incoming.onConnectExternal.event;
        api.runtime.onMessageExternal = incoming.onMessageExternal.event;
        api.runtime.onInstalled = emitted("runtime.onInstalled");
        api.runtime.onStartup = emitted("runtime.onStartup");
        api.tabs = createTabs(tools);
        const { action, browser_action: browserAction } = world.extension.manifest;
        if (action !== undefined) {
            api.action = { onClicked: emitted("action.onClicked") };
        }
        if (browserAction !== undefined) {
            api.browserAction = { onClicked: emitted("browserAction.onClicked") };
        }
    }

    return {
        api,
        deliver: {
            connect(number, kind, name, senderJson) {
                const sender = JSON.parse(senderJson);
                const isExternal = sender.id !== world.extension.id;
                if (kind === "Port") {
                    const event = isExternal ? incoming.onConnectExternal : incoming.onConnect;
                    event.dispatch(createPort(number, name, sender));
                } else {
                    oneOff.receive(number, isExternal ? incoming.onMessageExternal : incoming.onMessage, sender);
                }
            },
            message(number, json) {
                channels.get(number)?.message(json);
            },
            disconnect(number, reason) {
                channels.get(number)?.disconnect(reason);
            },
            answer: calls.answer,
            emit(name, details) {
                events.get(name)?.(...JSON.parse(details));
            },
        },
    };
}

/** The events by which connections come in; the browser is told which of them have listeners. */
function createIncoming(native, profile) {
    const counts = { onConnect: 0, onMessage: 0, onConnectExternal: 0, onMessageExternal: 0 };
    const create = (name) =>
        createEvent(native, profile, (count) => {
            counts[name] = count;
            native.setListening(
                counts.onConnect > 0,
                counts.onMessage > 0,
                counts.onConnectExternal > 0,
                counts.onMessageExternal > 0,
            );
        });
    return Object.fromEntries(Object.keys(counts).map((name) => [name, create(name)]));
}

function createRuntime({ native, profile, lastError, createPort, oneOff }, { id, base, manifest }, incoming) {
    const connectInfo = object("connectInfo", [string("name"), boolean("includeTlsChannelId")], optional);
    const checkConnect = createChecker(profile, "runtime.connect", [string("extensionId", optional), connectInfo]);
    const sendOptions = object("options", [boolean("includeTlsChannelId")], optional);
    const sendParameters = [string("extensionId", optional), any("message"), sendOptions, callback];
    const checkSend = createChecker(profile, "runtime.sendMessage", sendParameters);

    /** The extension to reach; undefined for one's own. */
    function target(check, extension) {
        if (extension === undefined || extension === "" || extension === id) {
            return undefined;
        }
        const error = profile.invalidExtension(check.method, extension);
        if (error !== undefined) {
            throw error;
        }
        return extension;
    }

    return {
        id,
        onConnect: incoming.onConnect.event,
        onMessage: incoming.onMessage.event,
        connect(...given) {
            const [extension, info] = checkConnect(given);
            const name = wellFormed(info?.name ?? "");
            const number = native.connectRuntime(target(checkConnect, extension), name, "Port");
            return createPort(number, name, undefined);
        },
        sendMessage(...given) {
            const [extension, message, , listener] = checkSend(spreadSendArguments(given));
            const reached = target(checkSend, extension);
            return oneOff.send(() => native.connectRuntime(reached, "", "OneOff"), message, listener);
        },
        getURL: (path) => base + String(path).replace(/^\//, ""),
        getManifest: () => structuredCopy(manifest),
        get lastError() {
            return lastError.get();
        },
    };
}

/**
 * Gives each argument of `runtime.sendMessage` its place. Both ends are optional: of
 * two arguments the first is an id when it is a text and the second no options.
 */
function spreadSendArguments(given) {
    const listener = typeof given.at(-1) === "function" ? given.at(-1) : undefined;
    const rest = listener === undefined ? given : given.slice(0, -1);
    if (rest.length === 0 || rest.length > 3) {
        return given;
    }
    const isOptions = (value) =>
        value === null || (typeof value === "object" && Object.keys(value).every((key) => key === "includeTlsChannelId"));
    const hasId =
        rest.length === 3 || (rest.length === 2 && (typeof rest[0] === "string" || rest[0] == null) && !isOptions(rest[1]));
    const [extension, message, options] = hasId ? rest : [undefined, ...rest];
    return [extension, message, options, listener];
}

function createTabs({ native, profile, createPort, oneOff, calls, emitted }) {
    const connectInfo = object(
        "connectInfo",
        [string("name"), integer("frameId", { minimum: 0 }), string("documentId")],
        optional,
    );
    const checkConnect = createChecker(profile, "tabs.connect", [tabId, connectInfo]);
    const sendOptions = object("options", [integer("frameId", { minimum: 0 }), string("documentId")], optional);
    const checkSend = createChecker(profile, "tabs.sendMessage", [tabId, any("message"), sendOptions, callback]);
    const reach = (tab, info, name, kind) =>
        native.connectTab(tab, info?.frameId ?? undefined, info?.documentId ?? undefined, name, kind);
    const query = object("queryInfo", [
        boolean("active"),
        boolean("currentWindow"),
        boolean("highlighted"),
        integer("index", { minimum: 0 }),
        boolean("lastFocusedWindow"),
        string("status"),
        string("title"),
        { name: "url", type: "string|array" },
        integer("windowId"),
    ]);
    const create = object("createProperties", [
        boolean("active"),
        integer("index", { minimum: 0 }),
        string("url"),
        integer("windowId"),
    ]);
    const update = object("updateProperties", [boolean("active"), boolean("highlighted"), string("url")]);

    return {
        connect(...given) {
            const [tab, info] = checkConnect(given);
            const name = wellFormed(info?.name ?? "");
            return createPort(reach(tab, info, name, "Port"), name, undefined);
        },
        sendMessage(...given) {
            const [tab, message, options, listener] = checkSend(given);
            return oneOff.send(() => reach(tab, options, "", "OneOff"), message, listener);
        },
        create: calls.method("tabs.create", [create]),
        get: calls.method("tabs.get", [tabId]),
        getCurrent: calls.method("tabs.getCurrent", []),
        query: calls.method("tabs.query", [query]),
        reload: calls.method("tabs.reload", [
            optionalTabId,
            object("reloadProperties", [boolean("bypassCache")], optional),
        ]),
        remove: calls.method("tabs.remove", [{ name: "tabIds", type: "integer|array", minimum: 0 }]),
        update: calls.method("tabs.update", [optionalTabId, update]),
        onActivated: emitted("tabs.onActivated"),
        onCreated: emitted("tabs.onCreated"),
        onRemoved: emitted("tabs.onRemoved"),
        onUpdated: emitted("tabs.onUpdated"),
    };
}

/** The text as it can be written in UTF-8: each half of a broken pair becomes three replacement characters. */
function wellFormed(text) {
    return text.replace(/\p{Surrogate}/gu, "\ufffd\ufffd\ufffd");
}

function structuredCopy(json) {
    return JSON.parse(JSON.stringify(json));
}
