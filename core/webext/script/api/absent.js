// What browsers have and this one has not: named at the call, never as if the author had mistyped.

import { NewError, NewPromise, NewProxy, after, createMap, createSet, slice, toUpperCase } from "./intrinsics.js";

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

/** Adds to the API the namespaces that its manifest asks for and are absent, and methods that are absent among others. */
export function addAbsent(api, { absentNamespaces }, absent) {
    for (const name of absentNamespaces) {
        api[name] ??= absent.namespace(name);
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
