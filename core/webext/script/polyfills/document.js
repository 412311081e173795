// `document`: a tree of elements, in which nothing but frames has an effect.

import { createEventTarget } from "./event_target.js";

/**
 * @param {object} native `frameElements`, `addFrameElement`, `navigateFrameElement`,
 *   `removeFrameElement`, `parseUrl`, `documentUrl`, `reportException`
 * @param {object} world see main.js
 * @param {object} location
 * @returns {{document: object, dispatch: Function, frameLoaded: (number: number) => void}}
 */
export function createDocument(native, world, location) {
    const resolve = (url) => {
        const parsed = native.parseUrl(String(url), native.documentUrl());
        return parsed === undefined ? undefined : JSON.parse(parsed).href;
    };

    class Node {
        #children = [];
        #parent = null;

        get childNodes() {
            return [...this.#children];
        }

        get children() {
            return this.#children.filter((child) => child instanceof HTMLElement);
        }

        contains(node) {
            let isInside = false;
            this.forEach((inner) => {
                isInside ||= inner === node;
            });
            return isInside;
        }

        get firstChild() {
            return this.#children[0] ?? null;
        }

        get parentNode() {
            return this.#parent;
        }

        get parentElement() {
            return this.#parent;
        }

        get isConnected() {
            return this === root || (this.#parent?.isConnected ?? false);
        }

        append(...nodes) {
            nodes.forEach((node) => this.insertBefore(node, null));
        }

        prepend(...nodes) {
            const first = this.firstChild;
            nodes.forEach((node) => this.insertBefore(node, first));
        }

        appendChild(node) {
            return this.insertBefore(node, null);
        }

        insertBefore(given, next) {
            const node = given instanceof Node ? given : new Text(given);
            node.remove();
            const place = next === null ? this.#children.length : this.#children.indexOf(next);
            this.#children.splice(place, 0, node);
            node.#parent = this;
            if (this.isConnected) {
                node.forEach((inner) => inner.connected());
            }
            return node;
        }

        removeChild(node) {
            node.remove();
            return node;
        }

        replaceChildren(...nodes) {
            this.childNodes.forEach((node) => node.remove());
            this.append(...nodes);
        }

        remove() {
            if (this.#parent === null) {
                return;
            }
            const wasConnected = this.isConnected;
            this.#parent.#children = this.#parent.#children.filter((child) => child !== this);
            this.#parent = null;
            if (wasConnected) {
                this.forEach((inner) => inner.disconnected());
            }
        }

        /** It and everything in it, in document order. */
        forEach(visit) {
            visit(this);
            this.childNodes.forEach((child) => child.forEach(visit));
        }

        connected() {}

        disconnected() {}
    }

    class Text extends Node {
        constructor(data) {
            super();
            this.data = String(data);
        }

        get textContent() {
            return this.data;
        }
    }

    /** How events of the browser's reach each element. */
    const dispatchers = new WeakMap();

    class HTMLElement extends Node {
        #attributes = new Map();

        constructor(tagName) {
            super();
            Object.defineProperty(this, "tagName", { value: tagName.toUpperCase() });
            const { methods, dispatch } = createEventTarget(native, this);
            for (const [name, value] of Object.entries(methods)) {
                Object.defineProperty(this, name, { value });
            }
            dispatchers.set(this, dispatch);
        }

        get id() {
            return this.getAttribute("id") ?? "";
        }

        set id(value) {
            this.setAttribute("id", value);
        }

        get className() {
            return this.getAttribute("class") ?? "";
        }

        set className(value) {
            this.setAttribute("class", value);
        }

        get textContent() {
            return this.childNodes.map((child) => child.textContent).join("");
        }

        set textContent(value) {
            this.replaceChildren(String(value));
        }

        getAttribute(name) {
            return this.#attributes.get(name.toLowerCase()) ?? null;
        }

        hasAttribute(name) {
            return this.#attributes.has(name.toLowerCase());
        }

        setAttribute(name, value) {
            this.#attributes.set(name.toLowerCase(), String(value));
            this.attributeChanged(name.toLowerCase());
        }

        removeAttribute(name) {
            this.#attributes.delete(name.toLowerCase());
        }

        attributeChanged() {}

        get [Symbol.toStringTag]() {
            return names.get(this.tagName) ?? "HTMLElement";
        }
    }

    class HTMLIFrameElement extends HTMLElement {
        constructor() {
            super("iframe");
            // Under which the browser knows the element while it is in the document.
            Object.defineProperty(this, "number", { value: undefined, writable: true });
        }

        get src() {
            const src = this.getAttribute("src");
            return src === null ? "" : (resolve(src) ?? src);
        }

        set src(value) {
            this.setAttribute("src", value);
        }

        get shown() {
            return this.hasAttribute("src") ? (resolve(this.getAttribute("src")) ?? "about:blank") : "about:blank";
        }

        connected() {
            if (this.number === undefined) {
                this.number = native.addFrameElement(this.id, this.shown);
                if (this.shown === "about:blank") {
                    // There at once.
                    dispatchers.get(this)({ type: "load" });
                }
            }
        }

        disconnected() {
            if (this.number !== undefined) {
                native.removeFrameElement(this.number);
                this.number = undefined;
            }
        }

        attributeChanged(name) {
            if (name === "src" && this.number !== undefined) {
                native.navigateFrameElement(this.number, this.shown);
            }
        }
    }

    const names = new Map([
        ["BODY", "HTMLBodyElement"],
        ["DIV", "HTMLDivElement"],
        ["HEAD", "HTMLHeadElement"],
        ["HTML", "HTMLHtmlElement"],
        ["IFRAME", "HTMLIFrameElement"],
        ["SPAN", "HTMLSpanElement"],
    ]);
    for (const name of [...names.values(), "HTMLElement"]) {
        globalThis[name] = name === "HTMLIFrameElement" ? HTMLIFrameElement : HTMLElement;
    }
    globalThis.Node = Node;
    globalThis.Text = Text;

    const root = new HTMLElement("html");
    const head = new HTMLElement("head");
    const body = new HTMLElement("body");
    root.append(head, body);

    /** Brings in line with what other worlds did: the frames are the document's, the elements each world's. */
    function look() {
        const known = new Map();
        root.forEach((node) => node instanceof HTMLIFrameElement && known.set(node.number, node));
        const elements = JSON.parse(native.frameElements());
        for (const { number, id, src } of elements) {
            if (!known.delete(number)) {
                const frame = new HTMLIFrameElement();
                frame.id = id;
                frame.setAttribute("src", src);
                frame.number = number;
                body.append(frame);
            }
        }
        for (const gone of known.values()) {
            gone.number = undefined;
            gone.remove();
        }
        return root;
    }

    function find(fits) {
        const found = [];
        look().forEach((node) => node instanceof HTMLElement && fits(node) && found.push(node));
        return found;
    }

    /** A tag name, `#id`, `.class`, or `tag#id`. */
    function fitsSelector(selector) {
        const [, tag, id, name] = /^([\w*]*)(?:#([\w-]+))?(?:\.([\w-]+))?$/.exec(selector.trim()) ?? [];
        return (node) =>
            tag !== undefined &&
            (tag === "" || tag === "*" || node.tagName === tag.toUpperCase()) &&
            (id === undefined || node.id === id) &&
            (name === undefined || node.className.split(/\s+/).includes(name));
    }

    const { methods, dispatch } = createEventTarget(native, undefined);
    class HTMLDocument {
        get [Symbol.toStringTag]() {
            return "HTMLDocument";
        }
    }
    globalThis.HTMLDocument = HTMLDocument;

    const members = {
        title: world.title,
        get URL() {
            return location.href;
        },
        get documentURI() {
            return location.href;
        },
        location,
        readyState: "loading",
        hidden: !world.isShown,
        visibilityState: world.isShown ? "visible" : "hidden",
        documentElement: root,
        head,
        get body() {
            // The parser has not come so far when scripts of the beginning run.
            return document.readyState === "loading" ? null : body;
        },
        createElement: (tag) => (String(tag).toLowerCase() === "iframe" ? new HTMLIFrameElement() : new HTMLElement(String(tag))),
        createTextNode: (data) => new Text(data),
        getElementById: (id) => find((node) => node.id === id)[0] ?? null,
        getElementsByTagName: (tag) => find(fitsSelector(String(tag))),
        querySelector: (selector) => find(fitsSelector(String(selector)))[0] ?? null,
        querySelectorAll: (selector) => find(fitsSelector(String(selector))),
        ...methods,
    };
    const document = new HTMLDocument();
    for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(members))) {
        Object.defineProperty(document, name, { ...member, enumerable: name === "location" });
    }

    /** A frame element has loaded. */
    function frameLoaded(number) {
        const [loaded] = find((node) => node instanceof HTMLIFrameElement && node.number === number);
        if (loaded !== undefined) {
            dispatchers.get(loaded)({ type: "load" });
        }
    }

    return { document, dispatch, frameLoaded };
}
