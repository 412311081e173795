// Extension events: `addListener` and its kin.

const { create } = Object;

// The listeners where there are none, and where there will be none any more.
const NONE = [];
const CLOSED = [];

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

    /** Calls the listeners. */
    dispatch(...details) {
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
        for (const listener of called) {
            if (called === this.listeners || this.isStillCalled(listener)) {
                let result;
                try {
                    result = listener(...details);
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
        return this.profile.callsRemovedListeners || this.listeners.includes(listener);
    }

    add(listener) {
        const { listeners } = this;
        // Browsers accept anything silently and never call what is no function.
        if (typeof listener !== "function" || listeners === CLOSED) {
            return;
        }
        if (listeners.length === 0) {
            this.replace([listener]);
        } else if (!listeners.includes(listener)) {
            const more = listeners.slice();
            more.push(listener);
            this.replace(more);
        }
    }

    remove(listener) {
        if (this.listeners.includes(listener)) {
            this.replace(this.listeners.filter((known) => known !== listener));
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

// The listeners behind the events of the world. Not closures: an event would hold them,
// they the event, and both wait for the engine to look for circles.
const listenersOf = new WeakMap();

function behind(event) {
    const listeners = listenersOf.get(event);
    if (listeners === undefined) {
        throw new TypeError("Illegal invocation: Function must be called on an object of type Event");
    }
    return listeners;
}

// Each is called as a method of an event.
const methods = {
    addListener(listener) {
        behind(this).add(listener);
    },
    removeListener(listener) {
        behind(this).remove(listener);
    },
    hasListener(listener) {
        return behind(this).listeners.includes(listener);
    },
    hasListeners() {
        return behind(this).listeners.length > 0;
    },
    dispatch(...details) {
        behind(this).dispatch(...details);
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
        hasListener: (listener) => listeners.listeners.includes(listener),
    };
}
