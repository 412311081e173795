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
import { installText } from "./text.js";
import { installTimers } from "./timers.js";
import { installUrl } from "./url.js";

/**
 * @param {object} native functions of the browser
 * @param {object} world `{kind, profile, url, title, extension: {id, base, manifest}}`, where
 *   `kind` is "content-script", "background" or "page"
 * @returns {object} `{connect, message, disconnect, timer, answer, emit, readyState}`
 */
export function install(native, world) {
    const { api, deliver } = createApi(native, world);
    // A data property in both engines; scripts may shadow it.
    globalThis.browser = api;
    globalThis.chrome = api;

    installConsole(native);
    const { timer } = installTimers(native);
    installUrl(native);
    installText();
    const { readyState } = installPage(native, world);
    return { ...deliver, timer, readyState };
}
