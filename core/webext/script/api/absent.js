// What browsers have and this one has not: named at the call, never as if the author had mistyped.

import { NewError, NewPromise, NewProxy, after, createMap, createSet, list, slice, splitAt, toUpperCase } from "./intrinsics.js";

/** What an error says of it. */
const textOf = (name) => `not supported by this browser: ${name}`;

/**
 * Makes what stands in for parts of the API.
 *
 * @param {object} native `console(level, text)`
 * @param {object} lastError see last_error.js
 * @returns {{method: (name: string) => Function, event: (name: string) => object, namespace: (name: string) => object}}
 */
export function createAbsent(native, lastError) {
    const named = createSet();

    /** Says once that it is absent. */
    function say(name) {
        if (!named.has(name)) {
            named.add(name);
            native.console("warn", textOf(name));
        }
    }

    /** A method that fails later: its callback finds the error, or its promise is rejected, as handled. */
    function method(name) {
        return (...given) => {
            say(name);
            const callback = given[given.length - 1];
            if (typeof callback === "function") {
                after(undefined, () =>
                    lastError.during(textOf(name), () => {
                        try {
                            // Said already.
                            lastError.get();
                            callback();
                        } catch (thrown) {
                            native.reportException(thrown);
                        }
                    }),
                );
                return undefined;
            }
            const promise = new NewPromise((_, reject) => reject(new NewError(textOf(name))));
            after(promise, undefined, () => {});
            return promise;
        };
    }

    /** An event that never comes. */
    function event(name) {
        return {
            addListener: () => say(name),
            removeListener() {},
            hasListener: () => false,
            hasListeners: () => false,
            addRules: method(`${name}.addRules`),
            removeRules: method(`${name}.removeRules`),
        };
    }

    /** Constants that are their own names. */
    const constants = () => new NewProxy({}, { __proto__: null, get: (_, key) => (typeof key === "string" ? key : undefined) });

    /** A namespace whose members are made when they are asked for. */
    function namespace(name) {
        const members = createMap();
        const get = (_, key) => {
            // A promise is recognised by it.
            if (typeof key !== "string" || key === "then") {
                return undefined;
            }
            if (!members.has(key)) {
                members.set(key, member(`${name}.${key}`, key));
            }
            return members.get(key);
        };
        return new NewProxy({}, { __proto__: null, get, has: () => true });
    }

    function member(name, key) {
        const first = slice(key, 0, 1);
        if (slice(key, 0, 2) === "on" && slice(key, 2, 3) === toUpperCase(slice(key, 2, 3))) {
            return event(name);
        }
        return first === toUpperCase(first) ? constants() : method(name);
    }

    return { __proto__: null, method, event, namespace };
}

/** The namespaces that browsers have for a permission, by the permission where its name is another. */
const NAMESPACES = {
    __proto__: null,
    declarativeNetRequestWithHostAccess: "declarativeNetRequest",
    webRequestBlocking: "webRequest",
    webRequestFilterResponse: "webRequest",
    gcm: "gcm",
};

const PERMISSIONS = list(
    "accessibilityFeatures.modify",
    "bookmarks",
    "browserSettings",
    "browsingData",
    "captivePortal",
    "certificateProvider",
    "contentSettings",
    "contextualIdentities",
    "cookies",
    "debugger",
    "declarativeContent",
    "declarativeNetRequest",
    "declarativeNetRequestWithHostAccess",
    "desktopCapture",
    "dns",
    "downloads",
    "enterprise.deviceAttributes",
    "find",
    "fontSettings",
    "gcm",
    "history",
    "identity",
    "idle",
    "notifications",
    "pageCapture",
    "pkcs11",
    "platformKeys",
    "power",
    "printing",
    "privacy",
    "processes",
    "proxy",
    "readingList",
    "search",
    "sessions",
    "system.cpu",
    "system.display",
    "system.memory",
    "system.storage",
    "tabCapture",
    "tabGroups",
    "theme",
    "topSites",
    "tts",
    "ttsEngine",
    "userScripts",
    "webRequest",
    "webRequestBlocking",
);

/** The same for keys of the manifest. */
const KEYS = list("omnibox", "user_scripts");
const KEY_NAMESPACES = { __proto__: null, omnibox: "omnibox", user_scripts: "userScripts" };

/** Members that browsers have in namespaces that are here. */
const MEMBERS = {
    __proto__: null,
    action: "getUserSettings onUserSettingsChanged",
    extension: "getViews isAllowedFileSchemeAccess isAllowedIncognitoAccess sendRequest onRequest setUpdateUrlData",
    management: "get getAll getPermissionWarningsById install launchApp setEnabled uninstall uninstallSelf onDisabled onEnabled onInstalled onUninstalled",
    runtime: "connectNative getPackageDirectoryEntry requestUpdateCheck restart restartAfterDelay sendNativeMessage",
    tabs: "captureTab captureVisibleTab detectLanguage getZoom getZoomSettings group hide insertCSS move moveInSuccession print printPreview removeCSS saveAsPDF setZoom setZoomSettings show toggleReaderMode ungroup warmup",
    windows: "update",
};

/** Adds to the API what its manifest may lead to and is absent, and methods that are absent among others. */
export function addAbsent(api, { manifest }, absent) {
    const { permissions = [], optional_permissions: optional = [] } = manifest;
    const add = (name) => {
        if (api[name] === undefined) {
            api[name] = absent.namespace(name);
        }
    };
    for (let index = 0; index < PERMISSIONS.length; index += 1) {
        const permission = PERMISSIONS[index];
        if (permissions.includes(permission) || optional.includes(permission)) {
            add(NAMESPACES[permission] ?? splitAt(permission, "."));
        }
    }
    for (let index = 0; index < KEYS.length; index += 1) {
        if (manifest[KEYS[index]] !== undefined) {
            add(KEY_NAMESPACES[KEYS[index]]);
        }
    }
    for (const [name, members] of Object.entries(MEMBERS)) {
        for (const member of api[name] === undefined ? [] : members.split(" ")) {
            if (api[name][member] === undefined) {
                const full = `${name}.${member}`;
                api[name][member] = member.startsWith("on") ? absent.event(full) : absent.method(full);
            }
        }
    }
}
