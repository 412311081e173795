// Extension events: `addListener` and its kin.

import { NewTypeError, apply, create, createWeakMap, freeze, includes, list, ownClass } from "./intrinsics.js";

// The listeners where there are none, and where there will be none any more.
const NONE = freeze(list());
const CLOSED = freeze(list());

/**
 * The listeners of an event, which are kept in order and once each; one that throws is
 * reported and does not keep the next from running.
 */
export class Listeners {
    /**
     * @param {object} native `reportException(error)`
     * @param {object} profile the browser to follow
     * @param {(count: number) => void} [onCount] told whenever the number of listeners changed
     */
    constructor(native, profile, onCount) {
        this.native = native;
        this.profile = profile;
        this.onCount = onCount;
        // Replaced and never changed: a listener that is added while others are called
        // waits for the next time.
        this.listeners = NONE;
    }

    /** Others of the same kind, none so far: what they have in common they inherit. */
    another() {
        return create(this);
    }

    /** Calls the listeners with an array of details. */
    dispatch(details) {
        this.dispatchTo(details, () => {}, this.native.reportException);
    }

    /** The same with one detail, without making an array of it: for what happens often. */
    dispatchOne(detail) {
        const called = this.listeners;
        for (let index = 0; index < called.length; index += 1) {
            // Called by this name, a listener has no `this`.
            const listener = called[index];
            if (called === this.listeners || this.isStillCalled(listener)) {
                try {
                    listener(detail);
                } catch (error) {
                    this.native.reportException(error);
                }
            }
        }
    }

    /** The same with two. */
    dispatchTwo(first, second) {
        const called = this.listeners;
        for (let index = 0; index < called.length; index += 1) {
            const listener = called[index];
            if (called === this.listeners || this.isStillCalled(listener)) {
                try {
                    listener(first, second);
                } catch (error) {
                    this.native.reportException(error);
                }
            }
        }
    }

    /** Calls the listeners, and tells what each of them returned or threw. */
    dispatchTo(details, onResult, onError) {
        const called = this.listeners;
        for (let index = 0; index < called.length; index += 1) {
            const listener = called[index];
            if (called === this.listeners || this.isStillCalled(listener)) {
                let result;
                try {
                    result = apply(listener, undefined, details);
                } catch (error) {
                    onError(error);
                    continue;
                }
                onResult(result);
            }
        }
    }

    /** Whether a listener is called though the list has changed meanwhile. */
    isStillCalled(listener) {
        return this.profile.callsRemovedListeners || includes(this.listeners, listener);
    }

    add(listener) {
        const { listeners } = this;
        // Browsers accept anything silently and never call what is no function.
        if (typeof listener !== "function" || listeners === CLOSED || includes(listeners, listener)) {
            return;
        }
        this.replace(without(listeners, undefined, listener));
    }

    remove(listener) {
        if (includes(this.listeners, listener)) {
            this.replace(without(this.listeners, listener));
        }
    }

    /** Forgets them all, without telling, and any that is added later. */
    clear() {
        this.listeners = CLOSED;
    }

    replace(listeners) {
        this.listeners = listeners;
        this.onCount?.(listeners.length);
    }
}

ownClass(Listeners);

/** A copy without one listener, and with another at its end. */
function without(listeners, left, added) {
    const copy = list();
    for (let index = 0; index < listeners.length; index += 1) {
        if (listeners[index] !== left) {
            copy[copy.length] = listeners[index];
        }
    }
    if (added !== undefined) {
        copy[copy.length] = added;
    }
    return copy;
}

// The listeners behind the events of the world. Not closures: an event would hold them,
// they the event, and both wait for the engine to look for circles.
const listenersOf = createWeakMap();

function behind(event) {
    const listeners = listenersOf.get(event);
    if (listeners === undefined) {
        throw new NewTypeError("Illegal invocation: Function must be called on an object of type Event");
    }
    return listeners;
}

// Each is called as a method of an event.
const methods = {
    __proto__: null,
    addListener(listener) {
        behind(this).add(listener);
    },
    removeListener(listener) {
        behind(this).remove(listener);
    },
    hasListener(listener) {
        return includes(behind(this).listeners, listener);
    },
    hasListeners() {
        return behind(this).listeners.length > 0;
    },
    dispatch(...details) {
        behind(this).dispatch(details);
    },
};

/**
 * Makes what scripts see of an event.
 *
 * @param {Listeners} listeners
 * @param {object} profile the browser to follow
 */
export function createEvent(listeners, profile) {
    if (profile.methodsNeedTheirPort) {
        const { addListener, removeListener, hasListener, hasListeners, dispatch } = methods;
        const event = { addListener, removeListener, hasListener, hasListeners, dispatch };
        listenersOf.set(event, listeners);
        return event;
    }
    return {
        addListener: (listener) => listeners.add(listener),
        removeListener: (listener) => listeners.remove(listener),
        hasListener: (listener) => includes(listeners.listeners, listener),
    };
}
