// `addEventListener` and its kin, for windows, documents and elements.

/**
 * @param {object} native `reportException(error)`
 * @param {any} receiver what `this` is in listeners
 * @returns {{methods: object, dispatch: (event: object) => void}}
 */
export function createEventTarget(native, receiver) {
    const listeners = new Map();

    function call(listener, event) {
        try {
            if (typeof listener === "function") {
                listener.call(receiver, event);
            } else {
                listener.handleEvent(event);
            }
        } catch (error) {
            native.reportException(error);
        }
    }

    return {
        methods: {
            addEventListener(type, listener, options) {
                const known = listeners.get(type) ?? listeners.set(type, new Map()).get(type);
                if (listener !== null && !known.has(listener)) {
                    known.set(listener, { once: options?.once === true });
                }
            },
            removeEventListener(type, listener) {
                listeners.get(type)?.delete(listener);
            },
        },

        /** Calls the listeners of the event's type, and the handler such as `onload`. */
        dispatch(event) {
            const known = listeners.get(event.type) ?? new Map();
            for (const [listener, { once }] of [...known]) {
                if (known.get(listener) === undefined) {
                    continue;
                }
                if (once) {
                    known.delete(listener);
                }
                call(listener, event);
            }
            const handler = receiver?.[`on${event.type}`];
            if (typeof handler === "function") {
                call(handler, event);
            }
        },
    };
}
