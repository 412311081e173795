// Small parts of the web platform: `performance`, `DOMException`, `Blob`.

import { createWeakMap } from "../api/intrinsics.js";

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

/** The bytes of each blob. */
const bytesOf = createWeakMap();

/** `Blob`, as much of it as can be sent in a message. */
class Blob {
    constructor(parts = [], { type = "" } = {}) {
        const bytes = [];
        for (const part of parts) {
            if (bytesOf.has(part)) {
                bytes.push(...bytesOf.get(part));
            } else if (ArrayBuffer.isView(part)) {
                bytes.push(...new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
            } else if (part instanceof ArrayBuffer) {
                bytes.push(...new Uint8Array(part));
            } else {
                bytes.push(...new globalThis.TextEncoder().encode(String(part)));
            }
        }
        bytesOf.set(this, Uint8Array.from(bytes));
        Object.defineProperty(this, "type", { value: String(type), configurable: true });
    }

    get size() {
        return bytesOf.get(this).length;
    }

    async text() {
        return new globalThis.TextDecoder().decode(bytesOf.get(this));
    }

    async arrayBuffer() {
        return bytesOf.get(this).slice().buffer;
    }

    get [Symbol.toStringTag]() {
        return "Blob";
    }
}

const NewBlob = Blob;

/** What the API needs of the platform: see host.d.ts. */
export const platform = {
    __proto__: null,
    DOMException,
    blobs: {
        __proto__: null,
        isBlob: (object) => bytesOf.has(object),
        typeOf: (blob) => String(blob.type),
        bytesOf: (blob) => bytesOf.get(blob),
        makeBlob: (type, bytes) => new NewBlob([bytes], { type }),
    },
};

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
