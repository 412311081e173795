// What a script finds of its page: `window`, `location`, `history`, `document` and the
// events of loading and leaving.

import { createCodec } from "../api/clone.js";
import { createDocument } from "./document.js";
import { createEventTarget, installEvents } from "./event_target.js";
import { createNavigation } from "./navigation.js";
import { createOtherWindows } from "./other_window.js";
import { installWindow } from "./window.js";
import { createProfile } from "../api/profile.js";
import { parse } from "../api/intrinsics.js";
import { platform } from "./platform.js";

/** Elements are globals by their ids, unless something else has the name. */
function nameElements(document) {
    for (const { id } of document.querySelectorAll("[id]")) {
        if (!(id in globalThis)) {
            const set = (value) => Object.defineProperty(globalThis, id, { value, writable: true, configurable: true, enumerable: true });
            Object.defineProperty(globalThis, id, { get: () => document.getElementById(id), set, configurable: true });
        }
    }
}

/** What happens to an element for each character of a text. */
function typeInto(element, text) {
    for (const key of text) {
        const code = key.toUpperCase().charCodeAt(0);
        const details = { bubbles: true, cancelable: true, key, keyCode: code, which: code, charCode: 0 };
        const goesOn = element.happen("keydown", details);
        const character = key.charCodeAt(0);
        if (goesOn && element.happen("keypress", { ...details, keyCode: character, which: character, charCode: character })) {
            element.value += key;
            element.happen("input", { bubbles: true, data: key, inputType: "insertText" });
        }
        element.happen("keyup", details);
    }
    element.happen("change", { bubbles: true });
}

/**
 * @param {object} native functions of the browser
 * @param {object} world see main.js
 * @param {Function} later see timers.js
 * @returns {object} how tasks about the page reach it
 */
export function installPage(native, world, later) {
    const { hidesFramesFirst } = createProfile(world.profile, platform);
    installEvents(native);
    const target = createEventTarget(native, globalThis);
    Object.assign(globalThis, target.methods);
    globalThis.self = globalThis;
    globalThis.navigator = { userAgent: world.userAgent, language: "en", languages: ["en"], onLine: true, platform: "Linux x86_64" };
    if (world.profile === "chromium") {
        // No devices are there.
        const none = async () => [];
        globalThis.navigator.hid = { getDevices: none, requestDevice: none, addEventListener() {}, removeEventListener() {} };
    }
    const { location, history, navigate, traversed } = createNavigation(native, world, {
        later,
        dispatch: target.dispatch,
    });
    Object.defineProperty(globalThis, "location", { get: () => location, set: navigate, configurable: true });

    // Whatever browser it is, these are structured clones, as are messages between windows.
    const windowCodec = createCodec(native, createProfile("firefox", platform), true, { globalName: "Proxy", ...platform });
    globalThis.structuredClone = (value) => windowCodec.decode(parse(windowCodec.encode(value)));

    installWindow(native, world, { clone: globalThis.structuredClone, later, current: () => location.href });
    if (world.isWorker) {
        globalThis.importScripts = (...urls) => urls.forEach((url) => native.importScript(String(url)));
        return { readyState() {}, frameLoaded() {}, frameFailed() {}, frameMessage() {}, press() {}, type() {}, beforeUnload() {}, leave() {}, restored() {}, traversed() {}, uncaught: target.dispatch };
    }

    globalThis.postMessage = (message) => native.postWindowMessage(windowCodec.encode(message));
    globalThis.window = globalThis;
    globalThis.frames = globalThis;
    Object.defineProperty(globalThis, "length", {
        get: () => document.getElementsByTagName("iframe").length,
        configurable: true,
    });
    globalThis.requestAnimationFrame = (callback) => later(16, () => callback(globalThis.performance.now()));
    globalThis.cancelAnimationFrame = globalThis.clearTimeout;
    globalThis.history = history;
    const windowOf = createOtherWindows(native, world, windowCodec.encode);
    globalThis.top = world.above.length === 0 ? globalThis : windowOf("top");
    globalThis.parent = world.above.length === 0 ? globalThis : windowOf("parent");
    globalThis.frameElement = null;
    const { document, dispatch, frameLoaded, frameFailed } = createDocument(native, world, location, target, windowOf);
    globalThis.document = document;
    nameElements(document);

    function show(state) {
        document.visibilityState = state;
        document.hidden = state === "hidden";
        const event = { type: "visibilitychange", target: document };
        dispatch(event);
        target.dispatch(event);
    }

    return {
        /** The page got as far as "interactive" or "complete". */
        readyState(state) {
            document.readyState = state;
            dispatch({ type: "readystatechange", target: document });
            if (state === "interactive") {
                const event = { type: "DOMContentLoaded", target: document };
                dispatch(event);
                target.dispatch(event);
            } else if (state === "complete") {
                target.dispatch({ type: "load", target: document });
                target.dispatch({ type: "pageshow", target: document, persisted: false });
            }
        },

        /** A script of the page's, of whichever world, posted a message to the window. */
        windowMessage(json) {
            const data = windowCodec.decode(parse(json));
            target.dispatch({ type: "message", data, origin: location.origin, source: globalThis, ports: [] });
        },

        /** A person clicks an element. */
        press(selector) {
            const element = document.querySelector(selector);
            if (element !== null) {
                native.pressed();
                if (element.matches("input[type=file]")) {
                    native.console("warn", "not supported by this browser: choosing a file");
                }
                element.focus();
                element.click();
            }
        },

        /** A person types into the element that has the focus. */
        type(text) {
            const element = document.activeElement;
            if (element !== null && element !== document.body) {
                native.pressed();
                typeInto(element, text);
            }
        },

        /** The document is asked whether it may go. */
        beforeUnload() {
            target.dispatch({ type: "beforeunload", target: document, cancelable: true });
            if (target.hasListeners("unload")) {
                native.keepFromCache();
            }
        },

        /** The document goes: into the cache, for another page, with its frame or with its tab. */
        leave(reason) {
            const persisted = reason === "Cached";
            // Chromium closes a tab's frames after they are out of sight.
            const isLateToHear = reason === "Closed" && !world.isTop && hidesFramesFirst;
            if (isLateToHear) {
                show("hidden");
            }
            target.dispatch({ type: "pagehide", target: document, persisted });
            if (!isLateToHear) {
                show("hidden");
            }
            if (!persisted) {
                target.dispatch({ type: "unload", target: document });
            }
        },

        /** The document comes back from the cache. */
        restored() {
            show("visible");
            target.dispatch({ type: "pageshow", target: document, persisted: true });
        },

        /** A script of another window posted a message to this one. */
        frameMessage(json, origin, from) {
            const data = windowCodec.decode(parse(json));
            const isNamed = from === undefined || from === "parent" || from === "top";
            const source = from === undefined ? null : windowOf(isNamed ? from : Number(from));
            target.dispatch({ type: "message", data, origin, source, ports: [] });
        },

        traversed,
        frameLoaded,
        frameFailed,

        /** A script did not catch an error. */
        uncaught: target.dispatch,
    };
}
