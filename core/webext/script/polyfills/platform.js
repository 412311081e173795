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

/** `crypto`, as much of it as makes ids. They are for tests: nothing about them is secret. */
const crypto = {
    getRandomValues(view) {
        new Uint8Array(view.buffer, view.byteOffset, view.byteLength).forEach((_, index, bytes) => {
            bytes[index] = Math.floor(Math.random() * 256);
        });
        return view;
    },
    randomUUID() {
        const digits = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0"));
        return digits.join("").replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
    },
};

/**
 * @param {object} native `now()`
 * @param {object} world see main.js
 */
export function installPlatform(native, world) {
    globalThis.Blob = Blob;
    globalThis.crypto = crypto;
    globalThis.DOMException = DOMException;
    const performance = { timeOrigin: world.timeOrigin, now: () => native.now(), mark() {}, measure() {} };
    // In place of the engine's own, which counts from another origin in each world.
    Object.defineProperty(globalThis, "performance", { value: performance, writable: true, configurable: true, enumerable: false });
}
