// Structured clones, written down: see clone.js.

import {
    NewError,
    NewUint8Array,
    arrayName,
    arrayParts,
    bigIntOf,
    booleanOf,
    bufferLength,
    createMap,
    errors,
    flagsOf,
    getOwnPropertyDescriptor,
    getPrototypeOf,
    global,
    hasOwn,
    is,
    isArray,
    isFinite,
    isView,
    keys,
    list,
    mapForEach,
    mapSize,
    numberOf,
    setForEach,
    setSize,
    slice,
    sourceOf,
    stringify,
    textOf,
    timeOf,
    toNumber,
    toStringTag,
    toTag,
    toText,
    viewParts,
} from "./intrinsics.js";

const probes = list(
    list("Map", mapSize),
    list("Set", setSize),
    list("Date", timeOf),
    list("ArrayBuffer", bufferLength),
    list("RegExp", sourceOf),
    list("Boolean", booleanOf),
    list("Number", numberOf),
    list("String", textOf),
    list("BigInt", bigIntOf),
);

/** The internal slot that an object has, as the name of its kind. */
function kindOf(object) {
    for (let index = 0; index < probes.length; index += 1) {
        try {
            probes[index][1](object);
            return probes[index][0];
        } catch {
            // It has another one.
        }
    }
    return undefined;
}

/**
 * @param {object} tools `isProxy`, `profile`, `globalName`, `blobs`
 * @param {any} whole
 * @returns {string}
 */
export function encodeClone({ isProxy, profile, globalName, blobs }, whole) {
    const objects = list();
    const numbers = createMap();

    function refuse(name) {
        return profile.notCloneable(name);
    }

    function write(value) {
        switch (typeof value) {
            case "undefined":
                return list("u");
            case "number":
                if (isFinite(value) && !is(value, -0)) {
                    return value;
                }
                return list("n", is(value, -0) ? "-0" : toText(value));
            case "bigint":
                return list("b", toText(value));
            case "symbol":
                throw profile.symbolNotCloneable();
            case "function":
                throw refuse(isProxy(value) ? "Proxy" : "Function");
            case "object":
                return value === null ? null : list("o", numberOfObject(value));
            default:
                return value;
        }
    }

    // What is still to be written of objects, the innermost last. No recursion: a
    // message may be deeper than the stack.
    const unfinished = list();

    function numberOfObject(object) {
        const known = numbers.get(object);
        if (known !== undefined) {
            return known;
        }
        const number = objects.length;
        numbers.set(object, number);
        objects[number] = null;
        objects[number] = describe(object);
        return number;
    }

    /** Has the items of an object written later, one after the other, into what is returned. */
    function writeLater(items, writeItem) {
        const written = list();
        unfinished[unfinished.length] = { __proto__: null, items, next: 0, writeItem, written };
        return written;
    }

    function finish() {
        while (unfinished.length > 0) {
            const latest = unfinished[unfinished.length - 1];
            const { items, next, writeItem, written } = latest;
            if (next === items.length) {
                unfinished.length -= 1;
            } else {
                latest.next += 1;
                written[written.length] = writeItem(items[next]);
            }
        }
    }

    function describe(object) {
        if (isProxy(object)) {
            throw refuse("Proxy");
        }
        if (object === global) {
            throw refuse(globalName);
        }
        if (isArray(object)) {
            // Without extra properties; holes stay holes.
            const indices = list();
            const all = keys(object);
            for (let index = 0; index < all.length; index += 1) {
                if (toText(all[index] >>> 0) === all[index]) {
                    indices[indices.length] = all[index];
                }
            }
            return list("A", object.length, writeLater(indices, (key) => list(toNumber(key), write(object[key]))));
        }
        if (isView(object)) {
            const name = arrayName(object) ?? "DataView";
            const parts = name === "DataView" ? viewParts : arrayParts;
            return list("V", name, numberOfObject(parts.buffer(object)), parts.byteOffset(object), parts.length(object));
        }
        if (blobs?.isBlob(object)) {
            return list("L", blobs.typeOf(object), toHex(blobs.bytesOf(object)));
        }
        if (object instanceof NewError) {
            const { name } = object;
            return list("E", typeof name === "string" && name in errors ? name : "Error", toText(object.message), toText(object.stack));
        }
        switch (kindOf(object)) {
            case "Map": {
                const entries = list();
                mapForEach(object, (value, key) => (entries[entries.length] = list(key, value)));
                return list("M", writeLater(entries, (entry) => list(write(entry[0]), write(entry[1]))));
            }
            case "Set": {
                const values = list();
                setForEach(object, (value) => (values[values.length] = value));
                return list("S", writeLater(values, write));
            }
            case "Date":
                return list("D", write(timeOf(object)));
            case "ArrayBuffer":
                return list("B", toHex(new NewUint8Array(object)));
            case "RegExp":
                return list("R", sourceOf(object), flagsOf(object));
            case "Boolean":
                return list("P", booleanOf(object));
            case "Number":
                return list("P", write(numberOf(object)));
            case "String":
                return list("P", textOf(object));
            case "BigInt":
                return list("P", write(bigIntOf(object)));
            default:
        }
        const tag = slice(toTag(object), 8, -1);
        if (tag !== "Object" && isPlatformObject(object, tag)) {
            throw refuse(tag);
        }
        return list("O", writeLater(keys(object), (key) => list(key, write(object[key]))));
    }

    const v = write(whole);
    finish();
    return stringify(objects.length === 0 ? { __proto__: null, v } : { __proto__: null, v, o: objects });
}

/** Whether an object is of a kind that the engine or the browser made and no clone can be of. */
function isPlatformObject(object, tag) {
    const prototype = getPrototypeOf(object);
    return prototype !== null && hasOwn(prototype, toStringTag) && typeof getOwnPropertyDescriptor(global, tag)?.value === "function";
}

const digits = "0123456789abcdef";

function toHex(bytes) {
    let text = "";
    for (let index = 0; index < bytes.length; index += 1) {
        text += digits[bytes[index] >> 4] + digits[bytes[index] & 15];
    }
    return text;
}
