// How messages are written down: as JSON (Chromium), or so that the common types of a
// structured clone survive (Firefox, and Chromium's manifest key
// `"message_serialization": "structured_clone"`). Both are JSON texts on the way.
//
// A structured clone is `{v, o}`: the value, and the objects in it. A plain value stands
// for itself, anything else is an array of a letter and what belongs to it: `["o", 3]` is
// the fourth of the objects, each of which is again such an array. So an object that is
// met twice, or within itself, is written once.
//
// A message of which JSON says everything, as of most, is `{j}`, the value itself.

// Scripts may replace the global functions later.
const { stringify } = JSON;

/**
 * @param {object} native `isProxy`, `postMessage`, `postJson`, `postTree`
 * @param {object} profile the browser to follow
 * @param {boolean} clones whether messages are structured clones
 * @param {string} globalName what the engine calls the global object
 * @returns {{encode: (value: any) => string, post: (number: number, value: any) => string | undefined,
 *   decode: (parsed: any) => any}} `decode` takes what the text parses to; `post` encodes and
 *   posts, and gives why not
 */
export function createCodec(native, profile, clones, globalName) {
    if (clones) {
        const encode = (value) => encodeClone(native, profile, value, globalName);
        const post = (number, value) => {
            const refusal = native.postTree(number, value);
            return refusal === "NoTree" ? native.postMessage(number, encode(value)) : refusal;
        };
        const decode = (parsed) => (parsed.j === undefined ? decodeClone(parsed) : parsed.j);
        return { encode, post, decode };
    }
    return { encode: encodeJson, post: native.postJson, decode: (parsed) => parsed };

    function encodeJson(value) {
        let json;
        try {
            // As a whole message, undefined becomes null.
            json = stringify(value === undefined ? null : value);
        } catch (error) {
            throw profile.unserializable(error);
        }
        if (json === undefined) {
            // A function, a symbol, or a toJSON() that gives undefined.
            throw profile.unserializable(new Error("The message could not be cloned."));
        }
        return json;
    }
}

const typeOf = Function.prototype.call.bind(Object.prototype.toString);

/** The internal slot that an object has, as the name of its kind. */
function kindOf(object) {
    for (const [kind, probe] of probes) {
        try {
            probe(object);
            return kind;
        } catch {
            // It has another one.
        }
    }
    return undefined;
}

const getter = (prototype, name) => Function.prototype.call.bind(Object.getOwnPropertyDescriptor(prototype, name).get);
const method = (prototype, name) => Function.prototype.call.bind(prototype[name]);
const probes = [
    ["Map", getter(Map.prototype, "size")],
    ["Set", getter(Set.prototype, "size")],
    ["Date", method(Date.prototype, "getTime")],
    ["ArrayBuffer", getter(ArrayBuffer.prototype, "byteLength")],
    ["RegExp", getter(RegExp.prototype, "source")],
    ["Boolean", method(Boolean.prototype, "valueOf")],
    ["Number", method(Number.prototype, "valueOf")],
    ["String", method(String.prototype, "valueOf")],
    ["BigInt", method(BigInt.prototype, "valueOf")],
];
function encodeClone(native, profile, whole, globalName) {
    const objects = [];
    const numbers = new Map();

    function refuse(name) {
        return profile.notCloneable(name);
    }

    function write(value) {
        switch (typeof value) {
            case "undefined":
                return ["u"];
            case "number":
                return Number.isFinite(value) && !Object.is(value, -0) ? value : ["n", Object.is(value, -0) ? "-0" : String(value)];
            case "bigint":
                return ["b", String(value)];
            case "symbol":
                throw profile.symbolNotCloneable();
            case "function":
                throw refuse(native.isProxy(value) ? "Proxy" : "Function");
            case "object":
                return value === null ? null : ["o", numberOf(value)];
            default:
                return value;
        }
    }

    // What is still to be written of objects, the innermost last. No recursion: a
    // message may be deeper than the stack.
    const unfinished = [];

    function numberOf(object) {
        const known = numbers.get(object);
        if (known !== undefined) {
            return known;
        }
        const number = objects.length;
        numbers.set(object, number);
        objects.push(null);
        objects[number] = describe(object);
        return number;
    }

    /** Has the items of an object written later, one after the other, into `written`. */
    function writeLater(items, writeItem) {
        const written = [];
        unfinished.push({ items: items[Symbol.iterator](), writeItem, written });
        return written;
    }

    function finish() {
        for (let latest = unfinished.at(-1); latest !== undefined; latest = unfinished.at(-1)) {
            const { items, writeItem, written } = latest;
            const { done, value } = items.next();
            if (done) {
                unfinished.pop();
            } else {
                written.push(writeItem(value));
            }
        }
    }

    function describe(object) {
        if (native.isProxy(object)) {
            throw refuse("Proxy");
        }
        if (object === globalThis) {
            throw refuse(globalName);
        }
        if (Array.isArray(object)) {
            // Without extra properties; holes stay holes.
            const indices = Object.keys(object).filter((key) => String(key >>> 0) === key);
            return ["A", object.length, writeLater(indices, (key) => [Number(key), write(object[key])])];
        }
        if (ArrayBuffer.isView(object)) {
            const { byteOffset, byteLength } = object;
            const length = object.length ?? byteLength;
            return ["V", typeOf(object).slice(8, -1), numberOf(object.buffer), byteOffset, length];
        }
        if (object instanceof Blob) {
            return ["L", object.type, toHex(bytesOf.get(object))];
        }
        if (object instanceof Error) {
            const name = errorNames.includes(object.name) ? object.name : "Error";
            return ["E", name, String(object.message), String(object.stack)];
        }
        switch (kindOf(object)) {
            case "Map":
                return ["M", writeLater([...Map.prototype.entries.call(object)], (entry) => entry.map(write))];
            case "Set":
                return ["S", writeLater([...Set.prototype.values.call(object)], write)];
            case "Date":
                return ["D", write(Date.prototype.getTime.call(object))];
            case "ArrayBuffer":
                return ["B", toHex(new Uint8Array(object))];
            case "RegExp":
                return ["R", object.source, object.flags];
            case "Boolean":
                return ["P", Boolean.prototype.valueOf.call(object)];
            case "Number":
                return ["P", write(Number.prototype.valueOf.call(object))];
            case "String":
                return ["P", String.prototype.valueOf.call(object)];
            case "BigInt":
                return ["P", write(BigInt.prototype.valueOf.call(object))];
            default:
        }
        const tag = typeOf(object).slice(8, -1);
        if (tag !== "Object" && isPlatformObject(object, tag)) {
            throw refuse(tag);
        }
        return ["O", writeLater(Object.keys(object), (key) => [key, write(object[key])])];
    }

    const v = write(whole);
    finish();
    return stringify(objects.length === 0 ? { v } : { v, o: objects });
}

const errorNames = ["Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"];

/** Whether an object is of a kind that the engine or the browser made and no clone can be of. */
function isPlatformObject(object, tag) {
    const prototype = Object.getPrototypeOf(object);
    return prototype !== null && Object.hasOwn(prototype, Symbol.toStringTag) && typeof globalThis[tag] === "function";
}

function decodeClone({ v, o = [] }) {
    // First the buffers, for views are made of them. Then the other objects, and at
    // last what they hold, for they may hold each other.
    const made = [];
    for (const isBuffer of [true, false]) {
        o.forEach(([letter, ...content], number) => {
            if ((letter === "B") === isBuffer) {
                made[number] = make(letter, content);
            }
        });
    }

    function read(value) {
        if (!Array.isArray(value)) {
            return value;
        }
        const [letter, content] = value;
        switch (letter) {
            case "u":
                return undefined;
            case "n":
                return Number(content);
            case "b":
                return BigInt(content);
            default:
                return made[content];
        }
    }

    function make(letter, [first, second, third, fourth]) {
        switch (letter) {
            case "A":
                return new Array(first);
            case "L":
                return new Blob([fromHex(second)], { type: first });
            case "E": {
                const error = new globalThis[first](second);
                Object.defineProperty(error, "stack", { value: third, writable: true, configurable: true });
                return error;
            }
            case "M":
                return new Map();
            case "S":
                return new Set();
            case "D":
                return new Date(read(first));
            case "B":
                return fromHex(first).buffer;
            case "R":
                return new RegExp(first, second);
            case "P":
                return Object(read(first));
            case "V":
                return new globalThis[first](made[second], third, fourth);
            default:
                return {};
        }
    }

    function fill(object, [letter, first, second]) {
        switch (letter) {
            case "A":
                for (const [index, item] of second) {
                    object[index] = read(item);
                }
                break;
            case "M":
                for (const [key, value] of first) {
                    object.set(read(key), read(value));
                }
                break;
            case "S":
                for (const value of first) {
                    object.add(read(value));
                }
                break;
            case "O":
                for (const [key, value] of first) {
                    // A definition: the key may be `__proto__`.
                    Object.defineProperty(object, key, {
                        value: read(value),
                        writable: true,
                        enumerable: true,
                        configurable: true,
                    });
                }
                break;
            default:
        }
    }

    made.forEach((object, number) => fill(object, o[number]));
    return read(v);
}

/** The bytes of each blob. */
const bytesOf = new WeakMap();

/** `Blob`, as much of it as can be sent in a message. */
export class Blob {
    constructor(parts = [], { type = "" } = {}) {
        const bytes = [];
        for (const part of parts) {
            if (part instanceof Blob) {
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

function toHex(bytes) {
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(text) {
    return Uint8Array.from({ length: text.length / 2 }, (_, index) => Number.parseInt(text.slice(2 * index, 2 * index + 2), 16));
}
