// Events of windows, documents and elements: `Event`, `addEventListener` and its kin.

/** What is known of each event. */
const states = new WeakMap();

/** The details of events that the browser makes. */
const trusted = new WeakSet();

/** An event, made by a script or by the browser. */
export class Event {
    constructor(type, details = {}) {
        const options = details ?? {};
        states.set(this, { type: String(type), details: options, target: null, current: null, isPrevented: false, isStopped: false, isHalted: false });
        // Its own, as in browsers.
        this.isTrusted = trusted.has(details);
    }

    get type() {
        return states.get(this).type;
    }

    get bubbles() {
        return Boolean(states.get(this).details.bubbles);
    }

    get cancelable() {
        return Boolean(states.get(this).details.cancelable);
    }

    get defaultPrevented() {
        return states.get(this).isPrevented;
    }

    get target() {
        return states.get(this).target;
    }

    get currentTarget() {
        return states.get(this).current;
    }

    get srcElement() {
        return states.get(this).target;
    }

    composedPath() {
        const path = [];
        for (let node = this.target; node; node = node.parentNode) {
            path.push(node);
        }
        return path;
    }

    preventDefault() {
        states.get(this).isPrevented ||= this.cancelable;
    }

    stopPropagation() {
        states.get(this).isHalted = true;
    }

    stopImmediatePropagation() {
        states.get(this).isStopped = true;
        states.get(this).isHalted = true;
    }

    get [Symbol.toStringTag]() {
        return this.constructor.name;
    }
}

/** Makes a kind of event whose members come from its details. */
function kind(name, members) {
    const made = { [name]: class extends Event {} }[name];
    for (const [member, initial] of Object.entries(members)) {
        const get = function get() {
            return states.get(this).details[member] ?? initial;
        };
        Object.defineProperty(made.prototype, member, { get, enumerable: true, configurable: true });
    }
    return made;
}

const modifiers = { altKey: false, ctrlKey: false, metaKey: false, shiftKey: false };
const pointer = { ...modifiers, button: 0, buttons: 0, clientX: 0, clientY: 0, pageX: 0, pageY: 0, detail: 0 };

const kinds = {
    Event,
    FocusEvent: kind("FocusEvent", { relatedTarget: null }),
    InputEvent: kind("InputEvent", { data: null, inputType: "" }),
    KeyboardEvent: kind("KeyboardEvent", { ...modifiers, key: "", code: "", keyCode: 0, which: 0, charCode: 0, repeat: false }),
    MouseEvent: kind("MouseEvent", pointer),
    PointerEvent: kind("PointerEvent", pointer),
    PromiseRejectionEvent: kind("PromiseRejectionEvent", { reason: undefined, promise: null }),
    StorageEvent: kind("StorageEvent", { key: null, oldValue: null, newValue: null, url: "" }),
    SubmitEvent: kind("SubmitEvent", { submitter: null }),
    UIEvent: kind("UIEvent", { detail: 0 }),
    CustomEvent: kind("CustomEvent", { detail: null }),
    ErrorEvent: kind("ErrorEvent", { message: "", error: null, filename: "", lineno: 0, colno: 0 }),
    HashChangeEvent: kind("HashChangeEvent", { oldURL: "", newURL: "" }),
    MessageEvent: kind("MessageEvent", { data: null, origin: "", source: null, ports: [] }),
    PageTransitionEvent: kind("PageTransitionEvent", { persisted: false }),
    PopStateEvent: kind("PopStateEvent", { state: null }),
};

const kindOf = {
    change: "Event",
    click: "PointerEvent",
    input: "InputEvent",
    keydown: "KeyboardEvent",
    keypress: "KeyboardEvent",
    keyup: "KeyboardEvent",
    submit: "SubmitEvent",
    unhandledrejection: "PromiseRejectionEvent",
    error: "ErrorEvent",
    hashchange: "HashChangeEvent",
    message: "MessageEvent",
    pagehide: "PageTransitionEvent",
    pageshow: "PageTransitionEvent",
    popstate: "PopStateEvent",
};

/** Puts the kinds of events, `EventTarget` and what goes with them among the globals. */
export function installEvents(native) {
    Object.assign(globalThis, kinds);
    globalThis.EventTarget = class EventTarget {
        constructor() {
            const { methods } = createEventTarget(native, this);
            for (const [name, value] of Object.entries(methods)) {
                Object.defineProperty(this, name, { value });
            }
        }
    };
    globalThis.AbortSignal = class AbortSignal extends globalThis.EventTarget {
        aborted = false;
        reason = undefined;
        onabort = null;
    };
    globalThis.AbortController = class AbortController {
        signal = new globalThis.AbortSignal();

        abort(reason = new globalThis.DOMException("signal is aborted without reason", "AbortError")) {
            if (!this.signal.aborted) {
                Object.assign(this.signal, { aborted: true, reason });
                this.signal.dispatchEvent(new Event("abort"));
            }
        }
    };
}

/** Makes an event of the browser's. */
export function createTrusted(type, details) {
    trusted.add(details);
    return new kinds[kindOf[type] ?? "Event"](type, details);
}

/** Calls the listeners on an event's way, from its target on if it bubbles; gives whether none prevented what follows. */
export function dispatchAlong(event, target, path) {
    const state = states.get(event);
    state.target = target;
    for (const step of path) {
        step.callAll(event);
        if (!event.bubbles || state.isHalted) {
            break;
        }
    }
    return !event.defaultPrevented;
}

/**
 * @param {object} native `reportException(error)`
 * @param {any} receiver what `this` is in listeners
 * @returns {{methods: object, dispatch: (event: object) => boolean}} `dispatch` takes the type and the
 *   details of an event of the browser's, and gives whether a listener prevented what follows by default
 */
export function createEventTarget(native, receiver) {
    const listeners = new Map();

    function call(listener, ...given) {
        try {
            if (typeof listener === "function") {
                return listener.apply(receiver, given);
            }
            listener.handleEvent(...given);
        } catch (error) {
            native.reportException(error);
        }
        return undefined;
    }

    function callAll(event) {
        states.get(event).current = receiver ?? states.get(event).target;
        const known = listeners.get(event.type) ?? new Map();
        for (const [listener, { once }] of [...known]) {
            if (known.get(listener) === undefined || states.get(event).isStopped) {
                continue;
            }
            if (once) {
                known.delete(listener);
            }
            call(listener, event);
        }
        const handler = receiver?.[`on${event.type}`];
        if (typeof handler !== "function") {
            return event.defaultPrevented;
        }
        if (event instanceof kinds.ErrorEvent) {
            const { message, filename, lineno, colno, error } = event;
            return call(handler, message, filename, lineno, colno, error) === true || event.defaultPrevented;
        }
        if (call(handler, event) === false) {
            event.preventDefault();
            return true;
        }
        return event.defaultPrevented;
    }

    return {
        callAll,

        methods: {
            addEventListener(type, listener, options) {
                const known = listeners.get(type) ?? listeners.set(type, new Map()).get(type);
                if (listener === null || listener === undefined || options?.signal?.aborted) {
                    return;
                }
                if (!known.has(listener)) {
                    known.set(listener, { once: options?.once === true });
                    options?.signal?.addEventListener("abort", () => known.delete(listener), { once: true });
                }
            },
            removeEventListener(type, listener) {
                listeners.get(type)?.delete(listener);
            },
            dispatchEvent(event) {
                states.get(event).target = receiver;
                return !callAll(event);
            },
        },

        /** Whether anything listens for events of a type. */
        hasListeners: (type) => (listeners.get(type)?.size ?? 0) > 0 || typeof receiver?.[`on${type}`] === "function",

        /** Calls the listeners of the event's type, and the handler such as `onload`. */
        dispatch({ type, target, ...details }) {
            const event = createTrusted(type, details);
            states.get(event).target = target ?? receiver;
            return callAll(event);
        },
    };
}
