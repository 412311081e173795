// Extension events: `addListener` and its kin.

/**
 * Makes an event. Listeners are kept in order and once each; one that throws is
 * reported and does not keep the next from running.
 *
 * @param {object} native `reportException(error)`
 * @param {object} profile the browser to follow
 * @param {(count: number) => void} [onCount] told whenever the number of listeners changed
 * @returns {{event: object, dispatch: Function, dispatchTo: Function}} the object that
 *   scripts see, and the ways to call its listeners; `dispatchTo` tells what each of
 *   them returned or threw
 */
export function createEvent(native, profile, onCount = () => {}) {
    const listeners = new Set();

    const dispatch = (...details) => dispatchTo(details, () => {}, native.reportException);

    function dispatchTo(details, onResult, onError) {
        // A copy: a listener that is added meanwhile waits for the next time.
        for (const listener of [...listeners]) {
            if (!profile.callsRemovedListeners && !listeners.has(listener)) {
                continue;
            }
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

    function check(object) {
        if (profile.methodsNeedTheirPort && object !== event) {
            throw new TypeError("Illegal invocation: Function must be called on an object of type Event");
        }
    }

    const event = {
        addListener(listener) {
            check(this);
            // Browsers accept anything silently and never call what is no function.
            if (typeof listener === "function" && !listeners.has(listener)) {
                listeners.add(listener);
                onCount(listeners.size);
            }
        },
        removeListener(listener) {
            check(this);
            if (listeners.delete(listener)) {
                onCount(listeners.size);
            }
        },
        hasListener(listener) {
            check(this);
            return listeners.has(listener);
        },
    };
    if (profile.eventsHaveListeners) {
        event.hasListeners = function hasListeners() {
            check(this);
            return listeners.size > 0;
        };
        event.dispatch = dispatch;
    }
    return { event, dispatch, dispatchTo };
}
