// Scripts that run where the manifest does not say so: `scripting`, and its older relatives.

import { functionText } from "./intrinsics.js";

const string = (name) => ({ name, type: "string" });
const array = (name) => ({ name, type: "array" });
const boolean = (name) => ({ name, type: "boolean" });
const object = (name, properties, rest) => ({ name, type: "object", properties, ...rest });
const integer = (name, rest) => ({ name, type: "integer", minimum: 0, ...rest });
const optional = { optional: true };

/** `tabs.executeScript` of manifests of version 2. CSS is taken, and nothing is painted. */
export function createTabInjection({ calls }) {
    const details = object("details", [
        string("code"),
        string("file"),
        boolean("allFrames"),
        integer("frameId"),
        boolean("matchAboutBlank"),
        string("runAt"),
        string("cssOrigin"),
    ]);
    const one = (name) => calls.method(`tabs.${name}`, [integer("tabId", optional), details]);
    return { executeScript: one("executeScript"), insertCSS: one("insertCSS"), removeCSS: one("removeCSS") };
}

/** `contentScripts` of Firefox: what is registered as by `scripting`, under numbers. */
export function createContentScripts({ calls }) {
    const register = calls.method("scripting.registerContentScripts", [array("scripts")]);
    const unregister = calls.method("scripting.unregisterContentScripts", [object("filter", undefined)]);
    let latest = 0;
    return {
        async register({ js = [], ...options }) {
            latest += 1;
            const id = `contentScripts ${latest}`;
            const files = js.filter(({ file }) => file !== undefined).map(({ file }) => file);
            const code = js.filter(({ code }) => code !== undefined).map(({ code }) => code);
            await register([{ ...options, id, js: files, code }]);
            return { unregister: () => unregister({ ids: [id] }) };
        },
    };
}

/** `scripting.executeScript`. */
export function createScripting({ calls }) {
    const target = object("target", [
        integer("tabId"),
        array("frameIds"),
        array("documentIds"),
        boolean("allFrames"),
    ]);
    const injection = object("injection", [
        target,
        { name: "func", type: "function" },
        // The older name of the same.
        { name: "function", type: "function" },
        array("files"),
        array("args"),
        string("world"),
        boolean("injectImmediately"),
    ]);
    /** The function goes as text. */
    function prepare(values) {
        const given = values[0].func ?? values[0].function;
        values[0].func = given === undefined ? undefined : functionText(given);
        values[0].function = undefined;
    }
    const styles = (name) => calls.method(`scripting.${name}`, [object("injection", undefined)]);
    const filter = object("filter", undefined, optional);
    return {
        executeScript: calls.method("scripting.executeScript", [injection], prepare),
        // Taken, and nothing is painted.
        insertCSS: styles("insertCSS"),
        removeCSS: styles("removeCSS"),
        registerContentScripts: calls.method("scripting.registerContentScripts", [array("scripts")]),
        updateContentScripts: calls.method("scripting.updateContentScripts", [array("scripts")]),
        unregisterContentScripts: calls.method("scripting.unregisterContentScripts", [filter]),
        getRegisteredContentScripts: calls.method("scripting.getRegisteredContentScripts", [filter]),
    };
}
