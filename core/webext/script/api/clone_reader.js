// Structured clones, read: see clone.js. What is read was written by a script's side, perhaps not by
// this code: whatever the text is, it becomes a value or an error.

import {
    NewArray,
    NewDate,
    NewMap,
    NewRegExp,
    NewSet,
    NewTypeError,
    NewUint8Array,
    arrayParts,
    assign,
    charCodeAt,
    defineProperty,
    errors,
    hasOwn,
    isArray,
    list,
    mapSet,
    setAdd,
    toBigInt,
    toNumber,
    toObject,
    views,
} from "./intrinsics.js";

/**
 * @param {object} tools `blobs`
 * @param {object} written what the text parses to
 */
export function decodeClone({ blobs }, written) {
    const o = hasOwn(written, "o") ? written.o : [];
    // First the buffers, for views are made of them. Then the other objects, and at
    // last what they hold, for they may hold each other.
    const made = list();
    if (!isArray(o)) {
        throw new NewTypeError("the message is damaged");
    }
    made.length = o.length;
    for (let pass = 0; pass < 2; pass += 1) {
        for (let number = 0; number < o.length; number += 1) {
            const isBuffer = o[number][0] === "B";
            if (isBuffer === (pass === 0)) {
                made[number] = make(o[number]);
            }
        }
    }
    for (let number = 0; number < o.length; number += 1) {
        fill(made[number], o[number]);
    }
    return read(written.v);

    function read(value) {
        if (!isArray(value)) {
            return value;
        }
        switch (value[0]) {
            case "u":
                return undefined;
            case "n":
                return toNumber(value[1]);
            case "b":
                return toBigInt(value[1]);
            default:
                return made[value[1]];
        }
    }

    function make(object) {
        const first = object[1];
        switch (object[0]) {
            case "A":
                return new NewArray(first);
            case "L":
                return blobs.makeBlob(first, fromHex(object[2]));
            case "E": {
                const error = new (known(errors, first))(object[2]);
                defineProperty(error, "stack", { __proto__: null, value: object[3], writable: true, configurable: true });
                return error;
            }
            case "M":
                return new NewMap();
            case "S":
                return new NewSet();
            case "D":
                return new NewDate(read(first));
            case "B":
                return arrayParts.buffer(fromHex(first));
            case "R":
                return new NewRegExp(first, object[2]);
            case "P":
                return toObject(read(first));
            case "V":
                return new (known(views, first))(made[object[2]], object[3], object[4]);
            default:
                return {};
        }
    }

    function fill(object, written) {
        const items = written[0] === "A" ? written[2] : written[1];
        switch (written[0]) {
            case "A":
            case "O":
                // A definition: the key may be `__proto__`.
                for (let index = 0; index < items.length; index += 1) {
                    assign(object, items[index][0], read(items[index][1]));
                }
                break;
            case "M":
                for (let index = 0; index < items.length; index += 1) {
                    mapSet(object, read(items[index][0]), read(items[index][1]));
                }
                break;
            case "S":
                for (let index = 0; index < items.length; index += 1) {
                    setAdd(object, read(items[index]));
                }
                break;
            default:
        }
    }
}

function known(constructors, name) {
    const found = typeof name === "string" ? constructors[name] : undefined;
    if (found === undefined) {
        throw new NewTypeError("the message is damaged");
    }
    return found;
}

function fromHex(text) {
    const bytes = new NewUint8Array(text.length / 2);
    for (let index = 0; index < bytes.length; index += 1) {
        bytes[index] = digit(text, 2 * index) * 16 + digit(text, 2 * index + 1);
    }
    return bytes;
}

function digit(text, at) {
    const unit = charCodeAt(text, at);
    return unit <= 0x39 ? unit - 0x30 : unit - 0x57;
}
