// Small parts of the web platform: `performance`, `DOMException`, `Blob`.

import { Blob } from "./clone.js";

/** An error with a name that tells its kind. */
export class DOMException extends Error {
    #name;

    constructor(message = "", name = "Error") {
        super(message);
        this.#name = String(name);
    }

    get name() {
        return this.#name;
    }

    get [Symbol.toStringTag]() {
        return "DOMException";
    }
}

/**
 * @param {object} native `now()`
 * @param {object} world see main.js
 */
export function installPlatform(native, world) {
    globalThis.Blob = Blob;
    globalThis.DOMException = DOMException;
    const performance = { timeOrigin: world.timeOrigin, now: () => native.now(), mark() {}, measure() {} };
    // In place of the engine's own, which counts from another origin in each world.
    Object.defineProperty(globalThis, "performance", { value: performance, writable: true, configurable: true, enumerable: false });
}
