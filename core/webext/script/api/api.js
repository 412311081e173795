// The extension APIs: `runtime`, and for pages of the extension `tabs` and `action`.

import { addAbsent, createAbsent } from "./absent.js";
import { createChecker } from "./arguments.js";
import { createCalls } from "./calls.js";
import { createChrome } from "./chrome.js";
import { createCodec } from "./clone.js";
import { createConnecting } from "./connecting.js";
import { createDevtools } from "./devtools.js";
import { Listeners, createEvent } from "./event.js";
import {
    createMap,
    greatestSafeInteger,
    parse,
    slice,
    stringify,
    toText,
} from "./intrinsics.js";
import { createI18n } from "./i18n.js";
import { createContentScripts, createScripting, createTabInjection } from "./injection.js";
import { invalidate } from "./invalidation.js";
import { createLastError } from "./last_error.js";
import { createAlarms, createButton, createCommands, createMenus, createOffscreen, createOmnibox, createPermissions, createSidePanel, createWebNavigation, createWindows } from "./namespaces.js";
import { addOlderNames, addOlderNamesOfContentScripts } from "./older_names.js";
import { addOffered } from "./offered.js";
import { createOneOffMessages } from "./one_off.js";
import { createApiOfPage } from "./page_api.js";
import { createPorts } from "./port.js";
import { createProfile } from "./profile.js";
import { createStorage } from "./storage.js";
import { addSurface } from "./surface.js";

const integer = (name, rest) => ({ name, type: "integer", ...rest });
const string = (name, rest) => ({ name, type: "string", ...rest });
const boolean = (name, rest) => ({ name, type: "boolean", ...rest });
const object = (name, properties, rest) => ({ name, type: "object", properties, ...rest });

const any = (name) => ({ name, type: "any" });

const optional = { optional: true };
const callback = { name: "callback", type: "function", ...optional };
const tabId = integer("tabId", { minimum: 0 });
const idOrIds = { name: "tabIds", type: "integer|array", minimum: 0 };
const optionalTabId = { ...tabId, ...optional };

/**
 * Creates the extension APIs of a world. Nothing global is touched.
 *
 * @param {object} native functions of the host, see host.d.ts
 * @param {object} world what the scripts run in, see host.d.ts
 * @param {object} platform what is needed of the web platform, see host.d.ts
 * @returns {{api: object, chrome: object, deliver: object, calls: object}} what scripts see as `browser` and as
 *   `chrome`; how tasks reach it, by the names of events; and what makes further asynchronous methods
 */
export function createApi(native, world, platform) {
    const profile = createProfile(world.profile, platform);
    const { later } = platform;
    const { manifest } = world.extension;
    const lastError = createLastError(native, profile);
    const channels = createMap();
    const clones = profile.clonesMessages || manifest.message_serialization === "structured_clone";
    const codec = createCodec(native, profile, clones, { globalName: world.kind === "content-script" ? "Sandbox" : "Proxy", ...platform });
    const messaging = { native, profile, lastError, codec, later, channels, kind: world.kind };
    const createPort = createPorts(messaging);
    const oneOff = createOneOffMessages(messaging);
    const calls = createCalls(native, profile, lastError);
    const incoming = createIncoming(native, profile);
    const events = createMap();

    /** The listeners of an event that the browser process emits under a name. */
    function listenersOf(name) {
        if (!events.has(name)) {
            let isHeard = false;
            const onCount = (count) => {
                if (isHeard !== count > 0) {
                    isHeard = count > 0;
                    native.setHeard?.(name, isHeard);
                }
            };
            events.set(name, new Listeners(native, profile, onCount));
        }
        return events.get(name);
    }

    /** The event. */
    const emitted = (name) => createEvent(listenersOf(name), profile);

    /** Listens to it on the API's own behalf. */
    const listen = (name, listener) => listenersOf(name).add(listener);

    const tools = { native, profile, lastError, createPort, oneOff, calls, emitted, listen };
    const isPage = world.kind !== "content-script";
    const api = { runtime: createRuntime(tools, world.extension, incoming), i18n: createI18n(world) };
    api.extension = { getURL: api.runtime.getURL, inIncognitoContext: false };
    const { permissions } = world.extension;
    if (permissions.includes("storage")) {
        api.storage = createStorage(world, tools);
    }
    if (isPage) {
        addPageApi(api, world, tools, incoming);
    } else {
        profile.addContentApi(api, permissions);
        addOlderNamesOfContentScripts(api, world, tools);
    }

    if (world.inspectedTab !== null) {
        api.devtools = createDevtools(world, tools);
    }
    if (isPage && profile.hasSurface) {
        addSurface(api, world.extension, tools);
    }
    if (isPage) {
        addAbsent(api, world.extension, createAbsent(native, lastError));
    }
    const chrome = createChrome(profile, world, api);
    return {
        api,
        chrome,
        calls,
        deliver: {
            __proto__: null,
            connect(number, isOneOff, sentName, senderJson, isExternal) {
                if (isOneOff) {
                    const { listeners } = isExternal ? incoming.onMessageExternal : incoming.onMessage;
                    oneOff.receive(number, listeners, parse(senderJson));
                } else {
                    const { listeners } = isExternal ? incoming.onConnectExternal : incoming.onConnect;
                    listeners.dispatchOne(createPort(number, profile.receiveName(sentName), senderJson));
                }
            },
            message(number, message) {
                channels.get(number)?.message(message);
            },
            disconnect(number, reason) {
                channels.get(number)?.disconnect(reason);
            },
            answer: calls.answer,
            invalidated() {
                invalidate(api, chrome, channels);
            },
            emit(name, details) {
                events.get(name)?.dispatch(parse(details));
            },
        },
    };
}

/** The API of a page of the web, see page_api.js. */
export const createPageApi = createApiOfPage;

/** What pages of the extension have and content scripts have not. */
function addPageApi(api, world, tools, incoming) {
    const { calls, emitted } = tools;
    const { manifest } = world.extension;
    const { manifest_version: version } = manifest;
    const has = (permission) => world.extension.permissions.includes(permission);
    Object.assign(api.runtime, {
        onConnectExternal: incoming.onConnectExternal.event,
        onMessageExternal: incoming.onMessageExternal.event,
        onInstalled: emitted("runtime.onInstalled"),
        onStartup: emitted("runtime.onStartup"),
        onSuspend: emitted("runtime.onSuspend"),
        onSuspendCanceled: emitted("runtime.onSuspendCanceled"),
        onUpdateAvailable: emitted("runtime.onUpdateAvailable"),
        getContexts: calls.method("runtime.getContexts", [object("filter", undefined)]),
        openOptionsPage: calls.method("runtime.openOptionsPage", []),
        setUninstallURL: calls.method("runtime.setUninstallURL", [string("url", optional)]),
    });
    const reload = calls.method("runtime.reload", []);
    api.runtime.reload = () => void reload(() => {});
    api.tabs = createTabs(tools);
    if (version === 2) {
        Object.assign(api.tabs, createTabInjection(tools));
    }
    api.windows = createWindows(tools);
    api.permissions = createPermissions(tools);
    const { name, version: number } = manifest;
    api.management = {
        getSelf: calls.local("management.getSelf", () => ({
            id: world.extension.id,
            name,
            version: number,
            enabled: true,
            installType: "development",
            type: "extension",
        })),
    };
    if (has("management")) {
        api.management.getAll = calls.method("management.getAll", []);
    }
    if (version === 2 && tools.profile.portsHaveError) {
        api.contentScripts = createContentScripts(tools);
    }
    if (has("scripting")) {
        api.scripting = createScripting(tools);
    }
    if (has("webNavigation")) {
        api.webNavigation = createWebNavigation(tools);
    }
    if (has("alarms")) {
        api.alarms = createAlarms(tools);
    }
    for (const [namespace, permission] of [["contextMenus", "contextMenus"], ["menus", profileMenus(tools) ? "menus" : undefined]]) {
        if (has(permission)) {
            api[namespace] = createMenus(namespace, tools);
        }
    }
    if (has("nativeMessaging")) {
        api.runtime.connectNative = createConnectNative(tools);
    }
    addOffered(api, world, tools);
    addOlderNames(api, world, tools);
    if (has("sidePanel")) {
        api.sidePanel = createSidePanel("sidePanel", tools);
    }
    if (manifest.sidebar_action !== undefined && tools.profile.portsHaveError) {
        api.sidebarAction = createSidePanel("sidebarAction", tools);
    }
    if (has("offscreen")) {
        api.offscreen = createOffscreen(tools);
    }
    if (manifest.omnibox !== undefined) {
        api.omnibox = createOmnibox(tools);
    }
    if (manifest.commands !== undefined) {
        api.commands = createCommands(tools);
    }
    for (const [key, button] of [["action", "action"], ["browser_action", "browserAction"], ["page_action", "pageAction"]]) {
        if (manifest[key] !== undefined) {
            api[button] = createButton(button, tools);
        }
    }
}

/** `runtime.connectNative`: the port ends, as where the application is not installed. */
function createConnectNative({ native, profile, createPort }) {
    return (application) => {
        native.console("warn", `not supported by this browser: runtime.connectNative, for ${toText(application)}`);
        // There is no tab of that number.
        return createPort(native.connectTab(greatestSafeInteger, undefined, undefined, "", false), profile.portName(undefined), undefined);
    };
}

/** Whether there is `menus` beside `contextMenus`. */
const profileMenus = ({ profile }) => profile.portsHaveError;

/** The events by which connections come in; the browser is told which of them have listeners. */
function createIncoming(native, profile) {
    const counts = { onConnect: 0, onMessage: 0, onConnectExternal: 0, onMessageExternal: 0 };
    const create = (name) => {
        const listeners = new Listeners(native, profile, (count) => {
            counts[name] = count;
            native.setListening(
                counts.onConnect > 0,
                counts.onMessage > 0,
                counts.onConnectExternal > 0,
                counts.onMessageExternal > 0,
            );
        });
        return { listeners, event: createEvent(listeners, profile) };
    };
    return Object.fromEntries(Object.keys(counts).map((name) => [name, create(name)]));
}

function createRuntime({ native, profile, lastError, createPort, oneOff, calls }, { id, base, manifest }, incoming) {
    const manifestText = stringify(manifest);
    const reached = (extension) =>
        extension === undefined || extension === null || extension === "" || extension === id ? undefined : extension;
    return {
        id,
        onConnect: incoming.onConnect.event,
        onMessage: incoming.onMessage.event,
        ...createConnecting({ native, profile, createPort, oneOff }, reached),
        getURL(path) {
            const text = toText(path);
            return base + (text[0] === "/" ? slice(text, 1) : text);
        },
        getManifest: () => parse(manifestText),
        getPlatformInfo: calls.method("runtime.getPlatformInfo", []),
        get lastError() {
            return lastError.get();
        },
    };
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
    const reach = (tab, info, name, isOneOff) =>
        native.connectTab(tab, info?.frameId ?? undefined, info?.documentId ?? undefined, name, isOneOff);
    const query = object("queryInfo", [
        boolean("active"),
        boolean("audible"),
        boolean("autoDiscardable"),
        boolean("currentWindow"),
        boolean("discarded"),
        integer("groupId"),
        boolean("highlighted"),
        integer("index", { minimum: 0 }),
        boolean("lastFocusedWindow"),
        boolean("muted"),
        boolean("pinned"),
        string("status"),
        string("title"),
        { name: "url", type: "string|array" },
        integer("windowId"),
        string("windowType"),
    ]);
    const create = object("createProperties", [
        boolean("active"),
        integer("index", { minimum: 0 }),
        integer("openerTabId", { minimum: 0 }),
        boolean("pinned"),
        ...(profile.portsHaveError ? [] : [boolean("selected")]),
        string("url"),
        integer("windowId"),
    ]);
    const update = object("updateProperties", [boolean("active"), boolean("highlighted"), string("url")]);

    return {
        connect(...given) {
            // By their numbers: taking an array apart calls its iterator.
            const values = checkConnect(given);
            const name = profile.portName(values[1]);
            return createPort(reach(values[0], values[1], profile.sendName(name), false), name, undefined);
        },
        sendMessage(...given) {
            const values = checkSend(given);
            const connect = () => reach(values[0], values[2], "", true);
            return oneOff.send(checkSend.method, connect, values[1], values[3]);
        },
        create: calls.method("tabs.create", [create]),
        duplicate: calls.method("tabs.duplicate", [tabId]),
        highlight: calls.method("tabs.highlight", [object("highlightInfo", undefined)]),
        discard: calls.method("tabs.discard", [profile.discardsMany ? { ...idOrIds, ...optional } : optionalTabId]),
        get: calls.method("tabs.get", [tabId]),
        goBack: calls.method("tabs.goBack", [optionalTabId]),
        goForward: calls.method("tabs.goForward", [optionalTabId]),
        getCurrent: calls.method("tabs.getCurrent", []),
        query: calls.method("tabs.query", [query]),
        reload: calls.method("tabs.reload", [
            optionalTabId,
            object("reloadProperties", [boolean("bypassCache")], optional),
        ]),
        remove: calls.method("tabs.remove", [idOrIds]),
        update: calls.method("tabs.update", [optionalTabId, update]),
        onActivated: emitted("tabs.onActivated"),
        onCreated: emitted("tabs.onCreated"),
        onRemoved: emitted("tabs.onRemoved"),
        onReplaced: emitted("tabs.onReplaced"),
        onUpdated: emitted("tabs.onUpdated"),
    };
}
