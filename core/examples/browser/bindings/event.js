// Extension events: `addListener` and its kin.

/**
 * An event and its listeners, which are kept in order and once each; one that throws is
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
        this.listeners = [];
        this.shown = undefined;
    }

    /** What scripts see; made when it is first asked for, as many events never are. */
    get event() {
        this.shown ??= show(this, this.profile);
        return this.shown;
    }

    /** Calls the listeners. */
    dispatch(...details) {
        const called = this.listeners;
        for (let index = 0; index < called.length; index += 1) {
            if (this.isStillCalled(called, index)) {
                try {
                    called[index](...details);
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
            if (this.isStillCalled(called, index)) {
                let result;
                try {
                    result = called[index](...details);
                } catch (error) {
                    onError(error);
                    continue;
                }
                onResult(result);
            }
        }
    }

    isStillCalled(called, index) {
        return called === this.listeners || this.profile.callsRemovedListeners || this.listeners.includes(called[index]);
    }

    add(listener) {
        // Browsers accept anything silently and never call what is no function.
        if (typeof listener === "function" && !this.listeners.includes(listener)) {
            this.replace([...this.listeners, listener]);
        }
    }

    remove(listener) {
        if (this.listeners.includes(listener)) {
            this.replace(this.listeners.filter((known) => known !== listener));
        }
    }

    replace(listeners) {
        this.listeners = listeners;
        this.onCount?.(listeners.length);
    }
}

function show(listeners, profile) {
    function check(object) {
        if (profile.methodsNeedTheirPort && object !== event) {
            throw new TypeError("Illegal invocation: Function must be called on an object of type Event");
        }
    }

    const event = {
        addListener(listener) {
            check(this);
            listeners.add(listener);
        },
        removeListener(listener) {
            check(this);
            listeners.remove(listener);
        },
        hasListener(listener) {
            check(this);
            return listeners.listeners.includes(listener);
        },
    };
    if (profile.eventsHaveListeners) {
        event.hasListeners = function hasListeners() {
            check(this);
            return listeners.listeners.length > 0;
        };
        event.dispatch = (...details) => listeners.dispatch(...details);
    }
    return event;
}
