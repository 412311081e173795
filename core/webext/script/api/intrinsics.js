// What the API takes of the language. It is taken once, before any script of an extension runs:
// scripts may replace and patch every global and every prototype later, and are not to meet
// anything of the API there.
//
// So the rest of the API keeps to these rules:
// - no method is looked up in a prototype that scripts reach: maps are made here, with methods of
//   their own, and other methods are called as functions;
// - no iterator is used, and so neither `for … of` nor `...` where an array is taken apart: scripts reach
//   what iterates;
// - its own objects have no prototype, where a property may be missing, or is assigned: an accessor on
//   `Object.prototype` would be called with the object.

const { prototype: functions } = Function;

/** Makes a function of a method: it takes what the method is called on first. */
const uncurry = functions.call.bind.bind(functions.call);
const { getOwnPropertyDescriptor: descriptorOf } = Object;
const getterOf = (object, name) => uncurry(descriptorOf(object, name).get);

export const global = globalThis;
export const indirectEval = globalThis.eval;

export const apply = Reflect.apply;
export const parse = JSON.parse;
export const stringify = JSON.stringify;

export const create = Object.create;
export const defineProperties = Object.defineProperties;
export const defineProperty = Object.defineProperty;
export const freeze = Object.freeze;
export const getOwnPropertyDescriptor = Object.getOwnPropertyDescriptor;
export const getOwnPropertyDescriptors = Object.getOwnPropertyDescriptors;
export const getPrototypeOf = Object.getPrototypeOf;
export const setPrototypeOf = Object.setPrototypeOf;
export const hasOwn = Object.hasOwn;
export const is = Object.is;
export const keys = Object.keys;
export const toObject = Object;
export const toTag = uncurry(Object.prototype.toString);
export const toStringTag = Symbol.toStringTag;

export const isArray = Array.isArray;
export const isInteger = Number.isInteger;
export const isFinite = Number.isFinite;
export const absolute = Math.abs;
export const toText = String;
export const toNumber = Number;
export const toBigInt = BigInt;
export const greatestSafeInteger = Number.MAX_SAFE_INTEGER;

export const NewArray = Array;
export const NewDate = Date;
export const NewError = Error;
export const NewMap = Map;
export const NewPromise = Promise;
export const NewProxy = Proxy;
export const NewRegExp = RegExp;
export const NewSet = Set;
export const NewTypeError = TypeError;
export const NewUint8Array = Uint8Array;

export const charCodeAt = uncurry(String.prototype.charCodeAt);
export const indexOf = uncurry(String.prototype.indexOf);
export const slice = uncurry(String.prototype.slice);
export const toUpperCase = uncurry(String.prototype.toUpperCase);
export const functionText = uncurry(functions.toString);
const then = uncurry(Promise.prototype.then);

export const isView = ArrayBuffer.isView;
export const mapForEach = uncurry(Map.prototype.forEach);
export const mapSet = uncurry(Map.prototype.set);
export const mapSize = getterOf(Map.prototype, "size");
export const setForEach = uncurry(Set.prototype.forEach);
export const setAdd = uncurry(Set.prototype.add);
export const setSize = getterOf(Set.prototype, "size");
export const timeOf = uncurry(Date.prototype.getTime);
export const bufferLength = getterOf(ArrayBuffer.prototype, "byteLength");
export const sourceOf = getterOf(RegExp.prototype, "source");
export const flagsOf = getterOf(RegExp.prototype, "flags");
export const booleanOf = uncurry(Boolean.prototype.valueOf);
export const numberOf = uncurry(Number.prototype.valueOf);
export const textOf = uncurry(String.prototype.valueOf);
export const bigIntOf = uncurry(BigInt.prototype.valueOf);

const arrayOfNumbers = Object.getPrototypeOf(Uint8Array.prototype);
/** The name of an array of numbers, as `Uint8Array`; undefined for anything else. */
export const arrayName = getterOf(arrayOfNumbers, Symbol.toStringTag);
export const arrayParts = freeze({
    __proto__: null,
    buffer: getterOf(arrayOfNumbers, "buffer"),
    byteOffset: getterOf(arrayOfNumbers, "byteOffset"),
    length: getterOf(arrayOfNumbers, "length"),
});
export const viewParts = freeze({
    __proto__: null,
    buffer: getterOf(DataView.prototype, "buffer"),
    byteOffset: getterOf(DataView.prototype, "byteOffset"),
    length: getterOf(DataView.prototype, "byteLength"),
});

/** Constructors by their names. */
function constructors(names) {
    const found = create(null);
    for (const name of names) {
        if (typeof globalThis[name] === "function") {
            found[name] = globalThis[name];
        }
    }
    return freeze(found);
}

export const errors = constructors(["Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"]);
export const views = constructors([
    "BigInt64Array",
    "BigUint64Array",
    "DataView",
    "Float16Array",
    "Float32Array",
    "Float64Array",
    "Int16Array",
    "Int32Array",
    "Int8Array",
    "Uint16Array",
    "Uint32Array",
    "Uint8Array",
    "Uint8ClampedArray",
]);

/** A prototype with the methods of another, which no script reaches. */
function copied(prototype) {
    return freeze(create(null, getOwnPropertyDescriptors(prototype)));
}

const mapMethods = copied(Map.prototype);
const setMethods = copied(Set.prototype);
const weakMapMethods = copied(WeakMap.prototype);
const NewWeakMap = WeakMap;

export const createMap = () => setPrototypeOf(new NewMap(), mapMethods);
export const createSet = () => setPrototypeOf(new NewSet(), setMethods);
export const createWeakMap = () => setPrototypeOf(new NewWeakMap(), weakMapMethods);

const registryMethods = typeof FinalizationRegistry === "function" ? copied(FinalizationRegistry.prototype) : undefined;
const NewRegistry = typeof FinalizationRegistry === "function" ? FinalizationRegistry : undefined;

/** What is told of objects that were collected; undefined in an engine that does not tell. */
export const createRegistry = (told) =>
    NewRegistry === undefined ? undefined : setPrototypeOf(new NewRegistry(told), registryMethods);

/** A list of items, which is an array without methods: assigning beyond its end reaches no setter. */
export const list = (...items) => setPrototypeOf(items, null);

export function includes(items, wanted) {
    for (let index = 0; index < items.length; index += 1) {
        if (items[index] === wanted) {
            return true;
        }
    }
    return false;
}

const promisePrototype = Promise.prototype;
const isPrototypeOf = uncurry(Object.prototype.isPrototypeOf);
export const isPromise = (value) => isPrototypeOf(promisePrototype, value);

/** For a class whose instances stay the API's own: what scripts reach is no longer above its prototype. */
export function ownClass(Class) {
    setPrototypeOf(Class.prototype, null);
}

/** Has a function called with what a promise of the API's own, or a value, becomes. */
export function after(value, fulfilled, rejected) {
    const promise = new NewPromise((resolve) => resolve(value));
    // Without a constructor, the language's own makes the promise of what follows.
    defineProperty(promise, "constructor", { __proto__: null, value: undefined });
    then(promise, fulfilled, rejected);
}

/** What assigning to a plain property does. */
export function assign(object, name, value) {
    defineProperty(object, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}
