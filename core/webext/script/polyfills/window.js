// What else a window has: storage, fetching of the extension's own files, dialogs that nobody sees.

import { parseFragment } from "./element.js";
import { DOMException } from "./platform.js";

/** `localStorage` and `sessionStorage`. */
function createStorage(native, area) {
    const keys = () => JSON.parse(native.siteStorage(area, "keys", "", ""));
    const methods = {
        getItem: (key) => native.siteStorage(area, "get", String(key), "") ?? null,
        setItem: (key, value) => void native.siteStorage(area, "set", String(key), String(value)),
        removeItem: (key) => void native.siteStorage(area, "remove", String(key), ""),
        clear: () => void native.siteStorage(area, "clear", "", ""),
        key: (index) => keys()[index] ?? null,
        get length() {
            return keys().length;
        },
    };
    return new Proxy(methods, {
        get: (target, name) => (typeof name !== "string" || name in target ? target[name] : (methods.getItem(name) ?? undefined)),
        has: (target, name) => name in target || methods.getItem(name) !== null,
        set(_, name, value) {
            methods.setItem(name, value);
            return true;
        },
        deleteProperty(_, name) {
            methods.removeItem(name);
            return true;
        },
        ownKeys: () => [...new Set([...keys(), ...Object.keys(methods)])],
        getOwnPropertyDescriptor: (target, name) =>
            name in target
                ? Object.getOwnPropertyDescriptor(target, name)
                : { value: methods.getItem(name), writable: true, enumerable: true, configurable: true },
    });
}

/** The text at a URL: a file of the extension, or what a data: URL says. Nothing else is fetched here. */
function read(native, url) {
    const data = /^data:[^,]*?(;base64)?,(.*)$/s.exec(url);
    if (data !== null) {
        return data[1] === undefined ? decodeURIComponent(data[2]) : globalThis.atob(data[2]);
    }
    return native.readFile(url);
}

function installFetching(native, resolve) {
    class Response {
        #body;

        constructor(body, { status = 200, url = "" } = {}) {
            this.#body = body;
            Object.assign(this, { status, url, ok: status >= 200 && status < 300, statusText: "", headers: new Map() });
        }

        async text() {
            return String(this.#body ?? "");
        }

        async json() {
            return JSON.parse(this.#body);
        }

        async blob() {
            return new globalThis.Blob([this.#body]);
        }

        async arrayBuffer() {
            return (await this.blob()).arrayBuffer();
        }

        clone() {
            return new Response(this.#body, this);
        }
    }
    globalThis.Response = Response;
    globalThis.Headers = Map;
    globalThis.Request = class Request {
        constructor(url) {
            this.url = resolve(url);
        }
    };
    globalThis.fetch = async (given) => {
        const url = resolve(typeof given === "object" && "url" in given ? given.url : given);
        try {
            return new Response(read(native, url), { url });
        } catch (error) {
            native.console("warn", `not supported by this browser: fetching ${url} (${error.message})`);
            throw new TypeError("Failed to fetch");
        }
    };
    globalThis.XMLHttpRequest = class XMLHttpRequest extends globalThis.EventTarget {
        readyState = 0;
        status = 0;
        responseText = "";
        responseType = "";
        #url = "";

        open(method, url) {
            this.#url = resolve(url);
            this.readyState = 1;
        }

        setRequestHeader() {}

        getResponseHeader() {
            return null;
        }

        abort() {}

        get response() {
            return this.responseType === "json" ? JSON.parse(this.responseText) : this.responseText;
        }

        send() {
            globalThis.setTimeout(() => {
                let isRead = true;
                try {
                    this.responseText = read(native, this.#url);
                } catch (error) {
                    native.console("warn", `not supported by this browser: fetching ${this.#url} (${error.message})`);
                    isRead = false;
                }
                this.readyState = 4;
                this.status = isRead ? 200 : 0;
                for (const type of ["readystatechange", isRead ? "load" : "error", "loadend"]) {
                    this.dispatchEvent(new globalThis.Event(type));
                }
            });
        }
    };
}

/** Observers of what never changes here: nothing is painted, and changes of the tree are not told. */
function createObserver(native, name, isSilent) {
    return class {
        observe() {
            if (!isSilent) {
                native.console("warn", `not supported by this browser: what a ${name} observes is not told`);
            }
        }

        unobserve() {}

        disconnect() {}

        takeRecords() {
            return [];
        }
    };
}

/** `MessageChannel` within one window. */
function installMessageChannel(clone, later) {
    class MessagePort extends globalThis.EventTarget {
        other = null;

        postMessage(message) {
            const data = clone(message);
            const { other } = this;
            later(0, () => other?.dispatchEvent(new globalThis.MessageEvent("message", { data })));
        }

        start() {}

        close() {
            this.other = null;
        }
    }
    globalThis.MessagePort = MessagePort;
    globalThis.MessageChannel = class MessageChannel {
        port1 = new MessagePort();
        port2 = new MessagePort();

        constructor() {
            this.port1.other = this.port2;
            this.port2.other = this.port1;
        }
    };
}

/**
 * @param {object} native `siteStorage`, `readFile`, `parseUrl`, `closeWindow`, `openWindow`
 * @param {object} world see host.d.ts
 * @param {{clone: Function, later: Function, current: () => string}} page
 */
export function installWindow(native, world, { clone, later, current }) {
    const resolve = (url) => {
        const parsed = native.parseUrl(String(url), current());
        return parsed === undefined ? String(url) : JSON.parse(parsed).href;
    };
    installFetching(native, resolve);
    installMessageChannel(clone, later);
    if (world.isWorker) {
        return;
    }
    const selection = { rangeCount: 0, type: "None", isCollapsed: true, toString: () => "", removeAllRanges() {}, addRange() {}, getRangeAt: () => undefined };
    const say = (kind, answer) => (text) => {
        native.console("info", `${kind}: ${text ?? ""}`);
        return answer;
    };
    const added = {
        localStorage: createStorage(native, "local"),
        sessionStorage: createStorage(native, "session"),
        MutationObserver: createObserver(native, "MutationObserver", false),
        IntersectionObserver: createObserver(native, "IntersectionObserver", true),
        ResizeObserver: createObserver(native, "ResizeObserver", true),
        DOMParser: class DOMParser {
            parseFromString(html) {
                const fragment = parseFragment(html);
                const first = (name) => fragment.querySelector(name) ?? fragment;
                return Object.assign(fragment, {
                    documentElement: first("html"),
                    body: first("body"),
                    head: first("head"),
                    title: fragment.querySelector("title")?.textContent ?? "",
                    getElementsByTagName: (name) => fragment.querySelectorAll(name),
                });
            }
        },
        Image: class Image {
            constructor() {
                return globalThis.document.createElement("img");
            }
        },
        Audio: class Audio extends globalThis.EventTarget {
            pause() {}

            async play() {
                native.console("warn", "not supported by this browser: playing audio");
            }
        },
        getComputedStyle: (element) => element.style,
        getSelection: () => selection,
        matchMedia: (media) => ({ media, matches: false, addListener() {}, removeListener() {}, addEventListener() {}, removeEventListener() {} }),
        requestIdleCallback: (callback) => later(1, () => callback({ didTimeout: false, timeRemaining: () => 1 })),
        cancelIdleCallback: globalThis.clearTimeout,
        alert: say("alert", undefined),
        confirm: say("confirm", true),
        prompt: say("prompt", null),
        open(url) {
            native.openWindow(resolve(url ?? "about:blank"));
            return null;
        },
        close: () => native.closeWindow(),
        focus() {},
        blur() {},
        print() {},
        stop() {},
        scroll() {},
        scrollTo() {},
        scrollBy() {},
        resizeTo() {},
        moveTo() {},
        innerWidth: 800,
        innerHeight: 600,
        outerWidth: 800,
        outerHeight: 600,
        scrollX: 0,
        scrollY: 0,
        pageXOffset: 0,
        pageYOffset: 0,
        devicePixelRatio: 1,
        screen: { width: 800, height: 600, availWidth: 800, availHeight: 600 },
        CSS: { escape: (text) => String(text).replace(/[^\w-]/g, "\\$&"), supports: () => false },
        opener: null,
        name: "",
        origin: JSON.parse(native.parseUrl(current(), undefined) ?? "{}").origin,
        isSecureContext: true,
    };
    const refuse = (name) => async () => {
        native.console("warn", `not supported by this browser: ${name}`);
        throw new DOMException(`not supported by this browser: ${name}`, "NotAllowedError");
    };
    globalThis.navigator.clipboard = { writeText: refuse("clipboard.writeText"), readText: refuse("clipboard.readText") };
    for (const [name, value] of Object.entries(added)) {
        Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: true });
    }
    globalThis.DOMException = DOMException;
}
