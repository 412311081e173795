// What scripts of an extension find in their world: `browser` and `chrome`, the
// console, timers, and as much of a page as content scripts commonly touch.
//
// `install` is called once for each world, before any script of the extension. It
// takes the functions that the browser implements natively (see natives.rs) and a
// description of the world, and gives back the functions by which the browser
// delivers tasks to it. Each delivery is one task; the browser runs a microtask
// checkpoint behind it.

import { createApi } from "./api.js";
import { installConsole } from "./console.js";
import { installPage } from "./page.js";
import { installPlatform } from "./platform.js";
import { profiles } from "./profile.js";
import { addWorkerGlobals } from "./surface.js";
import { installText, wellFormedJson } from "./text.js";
import { installTimers } from "./timers.js";
import { createUncaught } from "./uncaught.js";
import { installUrl } from "./url.js";

/**
 * @param {object} native functions of the browser
 * @param {object} world `{kind, isWorker, isTop, isShown, profile, userAgent, timeOrigin, replays, url, title,
 *   extension: {id, base, manifest}}`, where `kind` is "content-script", "background" or "page"
 * @returns {object} `{connect, message, disconnect, timer, answer, emit, execute, readyState,
 *   frameLoaded, leave, restored, traversed}`
 */
export function install(native, world) {
    const profile = profiles[world.profile];
    const builtIn = new Set(Object.getOwnPropertyNames(globalThis));
    installConsole(native);
    const uncaught = createUncaught(native, profile);
    // In Firefox content scripts do not hear of errors.
    const isTelling = profile.tellsContentScripts || world.kind !== "content-script";
    const telling = isTelling ? { ...native, reportException: uncaught.report } : native;
    const { timer, later } = installTimers(telling);
    installUrl(native);
    installText();
    installPlatform(native, world);
    const { uncaught: tellOfUncaught, ...page } = installPage(telling, world, later);
    uncaught.listen(tellOfUncaught);
    // What listeners of the extension API throw is an error of Firefox's extension pages.
    const isTold = profile.tellsOfListeners && world.kind !== "content-script";
    const { api, deliver } = createApi(isTold ? telling : native, world, later);
    // What comes from the browser is not listed among the globals of the scripts.
    for (const name of Object.getOwnPropertyNames(globalThis).filter((name) => !builtIn.has(name))) {
        // A window lists itself, which makes it a circle.
        Object.defineProperty(globalThis, name, { enumerable: name === "window" });
    }
    if (world.isWorker && profile.hasSurface) {
        addWorkerGlobals();
    }
    // Data properties in both engines; scripts may shadow them.
    globalThis.browser = api;
    globalThis.chrome = api;
    return { ...deliver, ...page, timer, execute: createExecute(native, profile.tellsOfExecuted ? uncaught.report : () => {}) };
}

/** Runs a function given as text and answers under a number; `report` is told of what it throws. */
function createExecute(native, report) {
    const fail = (number) => (error) => native.executed(number, undefined, String(error));
    return (source, argumentsJson, number) => {
        let result;
        try {
            // In the global scope, as a script of its own.
            const run = (0, eval)(`(${source})`);
            result = run(...JSON.parse(argumentsJson));
        } catch (error) {
            fail(number)(error);
            report(error);
            return;
        }
        Promise.resolve(result)
            .then((value) => native.executed(number, wellFormedJson(value), undefined))
            .catch(fail(number));
    };
}
