// Other windows of a tab, as a script reaches them: `parent`, `top`, and those of frame elements.

import { DOMException } from "./platform.js";

/**
 * @param {object} native `postFrameMessage`
 * @param {object} world see host.d.ts
 * @param {(message: any) => string} encode writes a message down
 */
export function createOtherWindows(native, world, encode) {
    const isChromium = world.profile === "chromium";
    const made = new Map();

    function refuse(name) {
        throw new DOMException(
            isChromium
                ? `Failed to read a named property '${name}' from 'Location': Blocked a frame with origin "${globalThis.location.origin}" from accessing a cross-origin frame.`
                : `Permission denied to get property "${name}" on cross-origin object`,
            "SecurityError",
        );
    }

    /** A window; its URL is known where its origin is this one's. */
    function createWindow(element, isTop, url) {
        const location = {};
        const parts = url === undefined ? undefined : JSON.parse(native.parseUrl(url, undefined));
        for (const name of ["href", "origin", "protocol", "host", "hostname", "port", "pathname", "search", "hash"]) {
            Object.defineProperty(location, name, { get: () => (parts === undefined ? refuse(name) : parts[name]), enumerable: true });
        }
        const other = {
            postMessage: (message) => native.postFrameMessage(element, isTop, encode(message)),
            closed: false,
            length: 0,
            location,
            focus() {},
            blur() {},
            close() {},
        };
        Object.defineProperty(other, "document", { get: () => refuse("document") });
        other.window = other;
        other.self = other;
        return other;
    }

    function windowOf(key) {
        if (!made.has(key)) {
            const { above } = world;
            const known = key === "parent" ? above[0] : key === "top" ? above.at(-1) : undefined;
            made.set(key, createWindow(typeof key === "number" ? key : undefined, key === "top", known?.[1] ?? undefined));
        }
        return made.get(key);
    }

    // With one window above, both names are the same one's.
    return (key) => windowOf(key === "parent" && world.above.length === 1 ? "top" : key);
}
