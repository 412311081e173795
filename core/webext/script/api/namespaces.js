// The API beside messaging and tabs, as far as extensions that message need it to start: buttons, menus, alarms,
// commands, permissions, windows.

import { Listeners, createEvent } from "./event.js";
import { NewError, createMap, list, toText } from "./intrinsics.js";

const any = (name, rest) => ({ name, type: "any", ...rest });
const object = (name, rest) => ({ name, type: "object", ...rest });
const string = (name, rest) => ({ name, type: "string", ...rest });
const integer = (name, rest) => ({ name, type: "integer", ...rest });
const optional = { optional: true };

/** A toolbar button: `action`, `browserAction` or `pageAction`. */
export function createButton(name, { calls, emitted }) {
    const details = object("details");
    const one = (member, parameters) => calls.method(`${name}.${member}`, parameters);
    const button = { onClicked: emitted(`${name}.onClicked`), openPopup: one("openPopup", [object("options", optional)]) };
    for (const property of ["BadgeText", "BadgeBackgroundColor", "BadgeTextColor", "Title", "Popup"]) {
        button[`set${property}`] = one(`set${property}`, [details]);
        button[`get${property}`] = one(`get${property}`, [object("details", optional)]);
    }
    button.setIcon = one("setIcon", [details]);
    for (const member of ["enable", "disable"]) {
        button[member] = one(member, [integer("tabId", optional)]);
    }
    for (const member of ["show", "hide"]) {
        button[member] = one(member, [integer("tabId")]);
    }
    button.isEnabled = one("isEnabled", [{ name: "tabId", type: "integer|object", optional: true }]);
    return button;
}

/** `contextMenus` and `menus`: items that a person chooses by `--menu`. */
export function createMenus(name, { native, calls, emitted, listen }) {
    let latest = 0;
    // The listeners that items have of their own.
    const clicked = createMap();
    const create = calls.method(`${name}.create`, [object("createProperties")]);
    const update = calls.method(`${name}.update`, [any("id"), object("updateProperties")]);
    const remove = calls.method(`${name}.remove`, [any("menuItemId")]);
    listen(`${name}.onClicked`, (info, tab) => {
        const listener = clicked.get(toText(info.menuItemId));
        if (listener !== undefined) {
            try {
                listener(info, tab);
            } catch (error) {
                native.reportException(error);
            }
        }
    });
    return {
        ACTION_MENU_TOP_LEVEL_LIMIT: 6,
        ContextType: { ALL: "all", PAGE: "page", FRAME: "frame", SELECTION: "selection", LINK: "link", EDITABLE: "editable", IMAGE: "image", VIDEO: "video", AUDIO: "audio", ACTION: "action" },
        ItemType: { NORMAL: "normal", CHECKBOX: "checkbox", RADIO: "radio", SEPARATOR: "separator" },
        create(properties, callback) {
            if (typeof properties !== "object" || properties === null) {
                throw new NewError(`${name}.create: an object with the item's properties is missing`);
            }
            latest += 1;
            const { onclick, ...kept } = properties;
            const id = kept.id ?? latest;
            if (typeof onclick === "function") {
                clicked.set(toText(id), onclick);
            }
            create({ ...kept, id }, typeof callback === "function" ? callback : () => {});
            return id;
        },
        update(id, { onclick, ...kept }, ...rest) {
            if (typeof onclick === "function") {
                clicked.set(toText(id), onclick);
            }
            return update(id, kept, ...rest);
        },
        remove,
        removeAll: calls.method(`${name}.removeAll`, []),
        refresh: calls.method(`${name}.refresh`, []),
        onClicked: emitted(`${name}.onClicked`),
        onShown: emitted(`${name}.onShown`),
        onHidden: emitted(`${name}.onHidden`),
    };
}

/** `alarms`. */
export function createAlarms({ calls, emitted }) {
    const name = string("name", optional);
    return {
        create: calls.method("alarms.create", [name, object("alarmInfo")]),
        get: calls.method("alarms.get", [name]),
        getAll: calls.method("alarms.getAll", []),
        clear: calls.method("alarms.clear", [name]),
        clearAll: calls.method("alarms.clearAll", []),
        onAlarm: emitted("alarms.onAlarm"),
    };
}

/** `permissions`, about what the manifest says. */
export function createPermissions({ calls, emitted }) {
    const one = (member) => calls.method(`permissions.${member}`, [object("permissions")]);
    return {
        contains: one("contains"),
        request: one("request"),
        remove: one("remove"),
        getAll: calls.method("permissions.getAll", []),
        onAdded: emitted("permissions.onAdded"),
        onRemoved: emitted("permissions.onRemoved"),
    };
}

/** `commands`, which a person gives by `--command`. */
export function createCommands({ calls, emitted }) {
    return {
        getAll: calls.method("commands.getAll", []),
        update: calls.method("commands.update", [object("details")]),
        reset: calls.method("commands.reset", [string("name")]),
        onCommand: emitted("commands.onCommand"),
        onChanged: emitted("commands.onChanged"),
    };
}

/** `omnibox`, into which a person types by `--omnibox`. */
export function createOmnibox({ native, profile, calls, emitted, listen }) {
    const suggest = calls.method("omnibox.suggest", [{ name: "suggestions", type: "array" }]);
    const tell = (text) => changed.dispatch(list(text, (suggestions) => void suggest(suggestions, () => {})));
    // Only then: whoever listens is started for it.
    const changed = new Listeners(native, profile, () => listen("omnibox.onInputChanged", tell));
    return {
        onInputStarted: emitted("omnibox.onInputStarted"),
        onInputChanged: createEvent(changed, profile),
        onInputEntered: emitted("omnibox.onInputEntered"),
        onInputCancelled: emitted("omnibox.onInputCancelled"),
        onDeleteSuggestion: emitted("omnibox.onDeleteSuggestion"),
        setDefaultSuggestion: calls.method("omnibox.setDefaultSuggestion", [object("suggestion")]),
    };
}

/** `offscreen`: a page that nobody sees. */
export function createOffscreen({ calls }) {
    const reasons = "TESTING AUDIO_PLAYBACK IFRAME_SCRIPTING DOM_SCRAPING BLOBS DOM_PARSER USER_MEDIA DISPLAY_MEDIA WEB_RTC CLIPBOARD LOCAL_STORAGE WORKERS BATTERY_STATUS MATCH_MEDIA GEOLOCATION";
    return {
        Reason: Object.fromEntries(reasons.split(" ").map((reason) => [reason, reason])),
        createDocument: calls.method("offscreen.createDocument", [object("parameters")]),
        closeDocument: calls.method("offscreen.closeDocument", []),
        hasDocument: calls.method("offscreen.hasDocument", []),
    };
}

/** `sidePanel` of Chromium, or `sidebarAction` of Firefox: a page beside the tab's. */
export function createSidePanel(name, { calls, emitted }) {
    const one = (member) => calls.method(`${name}.${member}`, [object("options", optional)]);
    const panel = {};
    for (const member of ["open", "close", "toggle", "setOptions", "getOptions", "setPanelBehavior", "getPanelBehavior", "setPanel", "getPanel", "setTitle", "getTitle", "setIcon", "isOpen"]) {
        panel[member] = one(member);
    }
    panel.onOpened = emitted(`${name}.onOpened`);
    return panel;
}

/** `windows`, of which there is one. */
export function createWindows({ calls, emitted }) {
    const info = object("queryOptions", optional);
    return {
        WINDOW_ID_CURRENT: -2,
        WINDOW_ID_NONE: -1,
        get: calls.method("windows.get", [integer("windowId"), info]),
        getAll: calls.method("windows.getAll", [info]),
        getCurrent: calls.method("windows.getCurrent", [info]),
        getLastFocused: calls.method("windows.getLastFocused", [info]),
        create: calls.method("windows.create", [object("createData", optional)]),
        remove: calls.method("windows.remove", [integer("windowId")]),
        update: calls.method("windows.update", [integer("windowId"), object("updateInfo")]),
        onCreated: emitted("windows.onCreated"),
        onFocusChanged: emitted("windows.onFocusChanged"),
        onRemoved: emitted("windows.onRemoved"),
    };
}

const navigationEvents = [
    "onBeforeNavigate",
    "onCommitted",
    "onCompleted",
    "onCreatedNavigationTarget",
    "onDOMContentLoaded",
    "onErrorOccurred",
    "onHistoryStateUpdated",
    "onReferenceFragmentUpdated",
    "onTabReplaced",
];

/** `webNavigation`. */
export function createWebNavigation({ calls, emitted }) {
    const details = { name: "details", type: "object", properties: [integer("tabId", { minimum: 0 })] };
    const one = { name: "details", type: "object", properties: [integer("tabId", { minimum: 0 }), integer("frameId"), integer("processId"), string("documentId")] };
    const api = {
        getAllFrames: calls.method("webNavigation.getAllFrames", [details]),
        getFrame: calls.method("webNavigation.getFrame", [one]),
    };
    for (const name of navigationEvents) {
        api[name] = emitted(`webNavigation.${name}`);
    }
    return api;
}
