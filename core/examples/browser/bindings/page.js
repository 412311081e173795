// What a script finds of its page: `window`, `location`, `document` and the events of
// loading. There is no tree of elements.

/**
 * @param {object} native `parseUrl`, `importScript`, `reportException`
 * @param {object} world see main.js
 */
export function installPage(native, world) {
    const target = createEventTarget(native);
    Object.assign(globalThis, target.methods);
    globalThis.self = globalThis;
    globalThis.location = createLocation(native, world.url);
    globalThis.navigator = { userAgent: userAgents[world.profile], language: "en", onLine: true };

    if (world.isWorker) {
        globalThis.importScripts = (...urls) => urls.forEach((url) => native.importScript(String(url)));
        return { readyState() {} };
    }

    globalThis.window = globalThis;
    const documentTarget = createEventTarget(native);
    const document = {
        title: world.title,
        URL: world.url,
        documentURI: world.url,
        location,
        readyState: "loading",
        hidden: true,
        visibilityState: "hidden",
        ...documentTarget.methods,
    };
    globalThis.document = document;

    return {
        /** The page got as far as "interactive" or "complete". */
        readyState(state) {
            document.readyState = state;
            documentTarget.dispatch({ type: "readystatechange", target: document });
            if (state === "interactive") {
                const event = { type: "DOMContentLoaded", target: document };
                documentTarget.dispatch(event);
                target.dispatch(event);
            } else if (state === "complete") {
                target.dispatch({ type: "load", target: document });
            }
        },
    };
}

const userAgents = {
    chromium: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
    firefox: "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
};

function createLocation(native, url) {
    const location = JSON.parse(native.parseUrl(url, undefined));
    location.toString = () => location.href;
    return Object.freeze(location);
}

/** `addEventListener` and `removeEventListener`, and the way to call the listeners. */
function createEventTarget(native) {
    const listeners = new Map();

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
        dispatch(event) {
            const known = listeners.get(event.type) ?? new Map();
            for (const [listener, { once }] of [...known]) {
                if (once) {
                    known.delete(listener);
                }
                try {
                    if (typeof listener === "function") {
                        listener.call(globalThis, event);
                    } else {
                        listener.handleEvent(event);
                    }
                } catch (error) {
                    native.reportException(error);
                }
            }
        },
    };
}
