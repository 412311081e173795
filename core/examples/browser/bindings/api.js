// The extension APIs: `runtime`, and for pages of the extension `tabs` and `action`.

import { createChecker } from "./arguments.js";
import { createCalls } from "./calls.js";
import { createEvent } from "./event.js";
import { createLastError } from "./last_error.js";
import { createPorts } from "./port.js";
import { profiles } from "./profile.js";

const integer = (name, rest) => ({ name, type: "integer", ...rest });
const string = (name, rest) => ({ name, type: "string", ...rest });
const boolean = (name, rest) => ({ name, type: "boolean", ...rest });
const object = (name, properties, rest) => ({ name, type: "object", properties, ...rest });

const optional = { optional: true };
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
    const ports = createPorts(native, profile, lastError);
    const calls = createCalls(native, profile, lastError);
    const events = new Map();

    /** An event that the browser process emits under a name. */
    function emitted(name) {
        const { event, dispatch } = createEvent(native, profile);
        events.set(name, dispatch);
        return event;
    }

    const onConnect = createEvent(native, profile, (count) => native.setListening(count > 0));
    const api = { runtime: createRuntime(native, world, profile, lastError, ports, onConnect.event) };
    if (world.kind !== "content-script") {
        api.runtime.onInstalled = emitted("runtime.onInstalled");
        api.runtime.onStartup = emitted("runtime.onStartup");
        api.tabs = createTabs(native, profile, ports, calls, emitted);
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
            connect(number, name, sender) {
                onConnect.dispatch(ports.create(number, name, JSON.parse(sender)));
            },
            message: ports.message,
            disconnect: ports.disconnect,
            answer: calls.answer,
            emit(name, details) {
                events.get(name)?.(...JSON.parse(details));
            },
        },
    };
}

function createRuntime(native, world, profile, lastError, ports, onConnect) {
    const { id, base, manifest } = world.extension;
    const connectInfo = object("connectInfo", [string("name"), boolean("includeTlsChannelId")], optional);
    const checkConnect = createChecker(profile, "runtime.connect", [string("extensionId", optional), connectInfo]);

    return {
        id,
        onConnect,
        connect(...given) {
            const [extension, info] = checkConnect(given);
            if (extension !== undefined && extension !== "" && extension !== id) {
                throw new Error("Connecting to other extensions is not supported.");
            }
            const name = wellFormed(info?.name ?? "");
            return ports.create(native.connectRuntime(name), name, undefined);
        },
        getURL: (path) => base + String(path).replace(/^\//, ""),
        getManifest: () => structuredCopy(manifest),
        get lastError() {
            return lastError.get();
        },
    };
}

function createTabs(native, profile, ports, calls, emitted) {
    const connectInfo = object(
        "connectInfo",
        [string("name"), integer("frameId", { minimum: 0 }), string("documentId")],
        optional,
    );
    const checkConnect = createChecker(profile, "tabs.connect", [tabId, connectInfo]);
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
            const number = native.connectTab(tab, info?.frameId ?? undefined, info?.documentId ?? undefined, name);
            return ports.create(number, name, undefined);
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
