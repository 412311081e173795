// Patches everything that a script can reach in its world, and tells what of it the browser's own code
// then calls with something of its own. `NAMES` are the words in that code.
'use strict';
var hostile = (() => {
  const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys, setPrototypeOf } = Reflect;
  const NewSet = Set, { stringify } = JSON, { add: setAdd, has: setHas } = Set.prototype;
  const textIncludes = String.prototype.includes, text = (key) => (typeof key === 'symbol' ? 'a symbol' : `${key}`);
  const log = console.log;
  const has = (set, item) => apply(setHas, set, [item]);
  const add = (set, item) => apply(setAdd, set, [item]);

  const plain = { __proto__: null, writable: true, enumerable: true, configurable: true };
  const known = new NewSet();
  const leaks = [];
  let heard = 0;
  let isQuiet = false;
  const objectPrototype = Object.prototype;
  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

  // What belongs to the browser's own code: its objects have no prototype or one that no script reaches, or
  // are the native functions.
  function isInternal(value, depth) {
    if (!isObject(value) || value === objectPrototype) return false;
    if (!has(known, getPrototypeOf(value))) return true;
    if (getOwnPropertyDescriptor(value, 'setListening') !== undefined) return true;
    if (depth === 0) return false;
    const keys = ownKeys(value);
    for (let i = 0; i < keys.length && i < 50; i += 1) {
      const descriptor = getOwnPropertyDescriptor(value, keys[i]);
      if (descriptor !== undefined && isInternal(descriptor.value, depth - 1)) return true;
    }
    return false;
  }

  function check(where, value) {
    const isSecret = typeof value === 'string' && apply(textIncludes, value, ['SECRET']);
    if (!isSecret && !isInternal(value, 2)) return;
    let leak = `${where}: ${isSecret ? value : 'an object with'}`;
    const keys = isSecret ? [] : ownKeys(value);
    for (let i = 0; i < keys.length; i += 1) leak += ` ${text(keys[i])}`;
    defineProperty(leaks, leaks.length, { __proto__: plain, value: leak });
  }

  function record(where, receiver, values) {
    if (isQuiet) return;
    isQuiet = true;
    heard += 1;
    check(where, receiver);
    for (let i = 0; i < values.length; i += 1) check(where, values[i]);
    isQuiet = false;
  }

  function wrap(original, where) {
    const wrapper = function (...given) {
      record(where, this, given);
      if (new.target === undefined) {
        const result = apply(original, this, given);
        record(where, result, []);
        return result;
      }
      return construct(original, given, new.target === wrapper ? original : new.target);
    };
    const prototype = getOwnPropertyDescriptor(original, 'prototype');
    if (prototype !== undefined) defineProperty(wrapper, 'prototype', { __proto__: null, value: prototype.value });
    // With what belongs to the original, as `Promise.resolve`.
    setPrototypeOf(wrapper, original);
    return wrapper;
  }

  /** Every object that a script reaches from the global one, what the language hides among them. */
  function reachable() {
    const found = [globalThis, getPrototypeOf([][Symbol.iterator]()), getPrototypeOf(new Map()[Symbol.iterator]()),
      getPrototypeOf(new Set()[Symbol.iterator]()), getPrototypeOf(''[Symbol.iterator]()), getPrototypeOf(function* () {}),
      getPrototypeOf(async function () {}), getPrototypeOf(async function* () {}), getPrototypeOf(Uint8Array)];
    for (let i = 0; i < found.length; i += 1) add(known, found[i]);
    for (let next = 0; next < found.length; next += 1) {
      const object = found[next];
      const visit = (value) => {
        if (isObject(value) && !has(known, value)) {
          add(known, value);
          found[found.length] = value;
        }
      };
      visit(getPrototypeOf(object));
      const keys = ownKeys(object);
      for (let i = 0; i < keys.length; i += 1) {
        const descriptor = getOwnPropertyDescriptor(object, keys[i]);
        visit(descriptor.value);
        visit(descriptor.get);
        visit(descriptor.set);
      }
    }
    return found;
  }

  function patch(names) {
    const found = reachable();
    let patched = 0;
    const work = [];
    for (let i = 0; i < found.length; i += 1) {
      const keys = ownKeys(found[i]);
      for (let j = 0; j < keys.length; j += 1) {
        const descriptor = getOwnPropertyDescriptor(found[i], keys[j]);
        const where = text(keys[j]);
        if (typeof descriptor.value === 'function' && (descriptor.writable || descriptor.configurable)) {
          work[work.length] = [found[i], keys[j], { __proto__: null, ...descriptor, value: wrap(descriptor.value, where) }];
        } else if (descriptor.configurable && (descriptor.get ?? descriptor.set) !== undefined) {
          const get = descriptor.get && wrap(descriptor.get, `get ${where}`);
          const set = descriptor.set && wrap(descriptor.set, `set ${where}`);
          work[work.length] = [found[i], keys[j], { __proto__: null, ...descriptor, get, set }];
        }
      }
    }
    // Properties that internal objects may lack, or that are assigned before they are there.
    for (let i = 0; i < names.length; i += 1) {
      const name = names[i];
      if (getOwnPropertyDescriptor(Object.prototype, name) !== undefined) continue;
      work[work.length] = [Object.prototype, name, {
        __proto__: null,
        get() { record(`get ${name} of Object.prototype`, this, []); },
        set(value) {
          record(`set ${name} of Object.prototype`, this, [value]);
          defineProperty(this, name, { __proto__: plain, value });
        },
        configurable: true,
      }];
    }
    for (let i = 0; i < work.length; i += 1) {
      if (defineProperty(work[i][0], work[i][1], work[i][2])) patched += 1;
    }
    return patched;
  }

  return {
    patch,
    tell(what) { isQuiet = true; log(`${what}: ${stringify(leaks)}`, heard > 100); isQuiet = false; },
    log(...given) { isQuiet = true; apply(log, undefined, given); isQuiet = false; },
  };
})();
