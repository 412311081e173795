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
        return { readyState() {}, frameLoaded() {}, frameFailed() {}, frameMessage() {}, press() {}, beforeUnload() {}, leave() {}, restored() {}, traversed() {}, uncaught: target.dispatch };
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
                element.click();
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
