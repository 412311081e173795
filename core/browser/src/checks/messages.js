// Values made of bytes, and what must hold when they are written down and read again.

import { createCodec } from "./clone.js";
import { createProfile } from "./profile.js";
import { wellFormedJson } from "./text.js";
import { installEncoding } from "./encoding.js";
import { installPlatform, platform } from "./platform.js";

installEncoding();
const native = { isProxy: () => false, now: () => 0 };
installPlatform(native, {});
const clones = createCodec(native, createProfile("firefox", platform), true, { globalName: "Proxy", ...platform });
const json = createCodec(native, createProfile("chromium", platform), false, platform);

/** Builds a value, which must survive as a structured clone; gives what that was written as. */
export function roundTrip(bytes) {
    const value = build(bytes);
    const written = clones.encode(value);
    const read = clones.decode(JSON.parse(written));
    check(isSame(value, read), `read as something else: ${written}`);
    check(clones.encode(read) === written, `written in another way: ${written}`);
    asJson(value);
    return wellFormedJson(JSON.parse(written));
}

/** Builds a value, perhaps a strange one, which the browser writes as the engine does. */
export function natively(bytes) {
    const value = build(bytes, true);
    const attempt = (write) => {
        try {
            return write(value) ?? undefined;
        } catch (error) {
            return { thrown: `${error}` };
        }
    };
    const [expected, written] = [JSON.stringify, writeJson].map(attempt);
    const isAsExpected = expected?.thrown === undefined ? written === expected : written?.thrown === expected.thrown;
    check(isAsExpected, `${JSON.stringify(written)} in place of ${JSON.stringify(expected)}`);
}

/** Reads a text as a structured clone. What it is read as survives, as any value does. */
export function hostile(text) {
    let parsed;
    let read;
    try {
        parsed = JSON.parse(text);
        read = clones.decode(parsed);
    } catch {
        return undefined;
    }
    asJson(parsed);
    let written;
    try {
        written = clones.encode(read);
    } catch (error) {
        check(error.name === "DataCloneError" || isOutOfMemory(error), `refused with ${error}: ${text}`);
        return undefined;
    }
    check(isSame(read, clones.decode(JSON.parse(written))), `read as something else: ${written}`);
    return wellFormedJson(JSON.parse(written));
}

/** As JSON a value may lose what JSON does not know, once. */
function asJson(value) {
    let written;
    try {
        written = json.encode(value);
    } catch (error) {
        check(error.message === "Could not serialize message.", `refused with ${error}`);
        return;
    }
    check(json.encode(json.decode(JSON.parse(written))) === written, `not the same JSON: ${written}`);
}

function check(holds, message) {
    if (!holds) {
        throw new Error(message);
    }
}

function isOutOfMemory(error) {
    return error === null || (error.name === "InternalError" && /memory|stack/.test(error.message));
}

const TEXTS = ["", "a", "__proto__", "constructor", "0", "length", "\ud800", "\u0000", "é", "toString"];
const NUMBERS = [0, -0, 1, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53, 5e-324, 1e300];
const VIEWS = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Int32Array, Float32Array, Float64Array, BigInt64Array, DataView];
const ERRORS = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];

/** A graph of objects, circles included; every byte is a choice. Strange ones are for JSON alone. */
function build(bytes, strange = false) {
    let position = 0;
    const below = (bound) => (bytes[position++] ?? 0) % bound;
    const pick = (from) => from[below(from.length)];
    const objects = [];

    function primitive() {
        switch (below(8)) {
            case 0:
                return undefined;
            case 1:
                return null;
            case 2:
                return below(2) === 0;
            case 3:
            case 4:
                return pick(NUMBERS);
            case 5:
                return BigInt(below(256)) ** BigInt(below(20)) * (below(2) === 0 ? 1n : -1n);
            default:
                return pick(TEXTS) + pick(TEXTS);
        }
    }

    function object() {
        switch (below(16)) {
            case 0:
                return {};
            case 1:
                return Object.create(null);
            case 2:
            case 3:
                return new Array(below(5));
            case 4:
                return new Map();
            case 5:
                return new Set();
            case 6:
                return new Date(pick([...NUMBERS, 1e12]));
            case 7:
                return new RegExp(pick(["", "a", "/", "[\\/]", "\\n", "\n", "(?<n>é)"]), pick(["", "g", "giu", "y", "s", "d"]));
            case 8:
                return Uint8Array.from({ length: 8 * below(4) }, () => below(256)).buffer;
            case 9: {
                const buffers = objects.filter((one) => one instanceof ArrayBuffer);
                const buffer = buffers.length > 0 ? pick(buffers) : new ArrayBuffer(16);
                const View = pick(VIEWS);
                const from = 8 * below(1 + buffer.byteLength / 8);
                return below(2) === 0 ? new View(buffer, from) : new View(buffer, from, 0);
            }
            case 10:
                return Object(below(2) === 0);
            case 11:
                return Object(pick(NUMBERS));
            case 12:
                return Object(pick(TEXTS));
            case 13:
                return Object(BigInt(below(256)));
            case 14: {
                const error = new (pick(ERRORS))(pick(TEXTS));
                if (below(4) === 0) {
                    error.name = pick(TEXTS);
                }
                return error;
            }
            default:
                return new Blob([pick(["", "a", "é"]), new Uint8Array(below(3))], { type: pick(TEXTS) });
        }
    }

    /** What JSON has rules of its own for. */
    function strangeOne() {
        const inner = value();
        switch (below(8)) {
            case 0:
                return Symbol("s");
            case 1:
                return () => inner;
            case 2:
                return { toJSON: () => inner };
            case 3:
                return { toJSON: (key) => `${typeof key} ${key}` };
            case 4:
                return new Proxy(typeof inner === "object" && inner !== null ? inner : [inner], {});
            case 5:
                return Object.create({ inherited: inner }, { own: { value: inner, enumerable: true } });
            case 6:
                return Object.assign([inner], { toJSON: inner });
            default:
                return {
                    get member() {
                        throw new Error("getter");
                    },
                };
        }
    }

    function value() {
        if (strange && position < bytes.length && below(5) === 0) {
            const made = strangeOne();
            if (typeof made === "object") {
                objects.push(made);
            }
            return made;
        }
        switch (below(3)) {
            case 0:
                return primitive();
            case 1: {
                const made = object();
                objects.push(made);
                return made;
            }
            default:
                return objects.length > 0 ? pick(objects) : null;
        }
    }

    const whole = value();
    while (position < bytes.length) {
        const containers = objects.filter(isContainer);
        if (containers.length === 0) {
            break;
        }
        put(pick(containers), value(), value, below, pick);
    }
    return whole;
}

function isContainer(object) {
    if (!Object.isExtensible(object) || typeof object.toJSON === "function") {
        return false;
    }
    return Array.isArray(object) || object instanceof Map || object instanceof Set || isPlain(object);
}

function isPlain(object) {
    const prototype = Object.getPrototypeOf(object);
    return prototype === null || prototype === Object.prototype;
}

function put(container, item, value, below, pick) {
    if (Array.isArray(container)) {
        container[below(4) === 0 ? container.length + below(20) : below(1 + container.length)] = item;
    } else if (container instanceof Map) {
        container.set(value(), item);
    } else if (container instanceof Set) {
        container.add(item);
    } else {
        Object.defineProperty(container, pick(TEXTS), { value: item, writable: true, enumerable: true, configurable: true });
    }
}

/** Whether two graphs of objects have the same shape. */
function isSame(left, right) {
    const partners = new Map();
    const pairs = [[left, right]];
    while (pairs.length > 0) {
        const [one, other] = pairs.pop();
        if (typeof one !== "object" || one === null) {
            if (!Object.is(one, other)) {
                return false;
            }
            continue;
        }
        if (partners.has(one)) {
            if (partners.get(one) !== other) {
                return false;
            }
            continue;
        }
        if (typeof other !== "object" || other === null) {
            return false;
        }
        partners.set(one, other);
        const [inside, otherInside] = [contentOf(one), contentOf(other)];
        if (inside.length !== otherInside.length) {
            return false;
        }
        inside.forEach((item, at) => pairs.push([item, otherInside[at]]));
    }
    return new Set(partners.values()).size === partners.size;
}

/** What an object is and holds, as a list. */
function contentOf(object) {
    const kind = Object.prototype.toString.call(object);
    if (Array.isArray(object)) {
        return [kind, object.length, ...Object.entries(object).flat()];
    }
    if (ArrayBuffer.isView(object)) {
        return [kind, object.buffer, object.byteOffset, object.byteLength];
    }
    if (object instanceof ArrayBuffer) {
        return [kind, object.byteLength, String(new Uint8Array(object))];
    }
    if (object instanceof Error) {
        const name = ERRORS.some((type) => type.name === object.name) ? object.name : "Error";
        return [kind, name, object.message];
    }
    if (object instanceof Blob) {
        return [kind, object.type, object.size];
    }
    if (object instanceof Map) {
        return [kind, ...[...object].flat()];
    }
    if (object instanceof Set) {
        return [kind, ...object];
    }
    if (object instanceof Date) {
        return [kind, object.getTime()];
    }
    if (object instanceof RegExp) {
        return [kind, object.source, object.flags];
    }
    if (isPlain(object)) {
        return [kind, ...Object.entries(object).flat()];
    }
    return [kind, object.valueOf()];
}
