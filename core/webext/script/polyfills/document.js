// `document`: a tree of elements, in which nothing but frames has an effect.

import { Comment, DocumentFragment, Node, Text, reportTo } from "./tree.js";
import { focusedElement } from "./control.js";
import { HTMLElement, fill, interfaces, setElementMaker } from "./element.js";
import { queries } from "./selector.js";
import { createEventTarget, dispatchAlong, Event } from "./event_target.js";

/**
 * @param {object} native `frameElements`, `addFrameElement`, `navigateFrameElement`,
 *   `removeFrameElement`, `parseUrl`, `documentUrl`, `reportException`
 * @param {object} world see host.d.ts; its `html` is what the document begins with
 * @param {object} location
 * @param {object} window what `createEventTarget` gave for it
 * @param {(number: number) => object} windowOf the window of a frame element
 * @returns {{document: object, dispatch: Function, frameLoaded: (number: number) => void}}
 */
export function createDocument(native, world, location, window, windowOf) {
    const resolve = (url) => {
        const parsed = native.parseUrl(String(url), native.documentUrl());
        return parsed === undefined ? undefined : JSON.parse(parsed).href;
    };
    reportTo(native);
    HTMLElement.prototype.resolveUrl = resolve;

    class HTMLIFrameElement extends HTMLElement {
        constructor() {
            super("iframe");
            // Under which the browser knows the element while it is in the document.
            Object.defineProperty(this, "number", { value: undefined, writable: true });
        }

        get shown() {
            if (this.hasAttribute("srcdoc")) {
                return "about:srcdoc";
            }
            const url = this.hasAttribute("src") ? resolve(this.getAttribute("src")) : undefined;
            // What a script makes is a document of its own, without a URL.
            return url === undefined || url.startsWith("javascript:") ? "about:blank" : url;
        }

        get srcdoc() {
            return this.getAttribute("srcdoc") ?? "";
        }

        set srcdoc(value) {
            this.setAttribute("srcdoc", value);
        }

        get contentWindow() {
            return this.number === undefined ? null : windowOf(this.number);
        }

        get contentDocument() {
            return null;
        }

        connected() {
            if (this.number === undefined) {
                const sandbox = this.getAttribute("sandbox") ?? undefined;
                this.number = native.addFrameElement(this.id, this.shown, sandbox);
                if (this.shown === "about:blank") {
                    // There at once.
                    this.happen("load", {});
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
            if ((name === "src" || name === "srcdoc") && this.number !== undefined) {
                native.navigateFrameElement(this.number, this.shown);
            }
        }
    }

    const createElement = (tag) => (String(tag).toLowerCase() === "iframe" ? new HTMLIFrameElement() : new HTMLElement(String(tag)));
    setElementMaker(createElement);
    for (const name of [...interfaces.values(), "Element", "HTMLElement"]) {
        globalThis[name] = name === "HTMLIFrameElement" ? HTMLIFrameElement : HTMLElement;
    }
    Object.assign(globalThis, { Node, Text, Comment, DocumentFragment });
    for (const [name, value] of Object.entries({ ELEMENT_NODE: 1, TEXT_NODE: 3, COMMENT_NODE: 8, DOCUMENT_NODE: 9, DOCUMENT_FRAGMENT_NODE: 11 })) {
        Object.defineProperty(Node, name, { value });
        Object.defineProperty(Node.prototype, name, { value });
    }
    const query = (name) =>
        function find(selector) {
            return queries(this)[name](selector);
        };
    Object.assign(DocumentFragment.prototype, {
        querySelector: query("first"),
        querySelectorAll: query("all"),
        getElementById(id) {
            return queries(this).all("*").find((element) => element.id === id) ?? null;
        },
    });

    const target = createEventTarget(native, undefined);
    // The parser has not come so far when content scripts of the beginning run; those of an extension's page run behind it.
    const isParsed = world.isOwnDocument;
    const [root, head, body] = grow(world.html ?? "");
    Object.defineProperty(root, "isConnected", { value: true });
    root.above = () => [target, window];
    Node.prototype.above = function above() {
        return this.isConnected ? root.above() : [];
    };

    /** The tree of a page's HTML. Frames that it names are known to the browser already. */
    function grow(html) {
        const page = new DocumentFragment();
        fill(page, html);
        const take = (name) => queries(page).first(name) ?? new HTMLElement(name);
        const [made, top, bottom] = ["html", "head", "body"].map(take);
        [made, top, bottom].forEach((node) => node.remove());
        bottom.append(...page.childNodes, ...made.childNodes);
        made.append(top, bottom);
        ["title", "meta", "link", "base"].forEach((name) => queries(bottom).all(`body > ${name}`).forEach((node) => top.append(node)));
        return [made, top, bottom];
    }

    if (isParsed) {
        queries(root).all("iframe").forEach((frame) => frame.connected());
    }

    /** The frame elements in the tree that the browser has not been told of. */
    const numberless = () => queries(root).all("iframe").filter((frame) => frame.number === undefined);

    /** Brings in line with what other worlds did: the frames are the document's, the elements each world's. */
    function look() {
        const known = new Map();
        root.forEach((node) => node instanceof HTMLIFrameElement && node.number !== undefined && known.set(node.number, node));
        const elements = JSON.parse(native.frameElements());
        for (const { number, id, src } of elements) {
            if (!known.delete(number)) {
                // Of the page's own HTML, or of another world.
                const frame = numberless().find((element) => element.id === id) ?? new HTMLIFrameElement();
                if (frame.parentNode === null) {
                    frame.id = id;
                    frame.setAttribute("src", src);
                }
                frame.number = number;
                if (frame.parentNode === null) {
                    body.append(frame);
                }
            }
        }
        for (const gone of known.values()) {
            gone.number = undefined;
            gone.remove();
        }
        return root;
    }

    const find = (selector) => {
        const found = queries(look()).all(selector);
        return root.matches(selector) ? [root, ...found] : found;
    };

    class HTMLDocument {
        get [Symbol.toStringTag]() {
            return "HTMLDocument";
        }
    }
    globalThis.HTMLDocument = HTMLDocument;
    globalThis.Document = HTMLDocument;

    const members = {
        get title() {
            return queries(head).first("title")?.textContent ?? world.title;
        },
        set title(value) {
            world.title = String(value);
            const element = queries(head).first("title");
            if (element !== null) {
                element.textContent = String(value);
            }
            native.setTitle(String(value));
        },
        get URL() {
            return location.href;
        },
        get documentURI() {
            return location.href;
        },
        get baseURI() {
            return location.href;
        },
        get domain() {
            return location.hostname;
        },
        location,
        nodeType: 9,
        nodeName: "#document",
        cookie: "",
        referrer: "",
        contentType: "text/html",
        characterSet: "UTF-8",
        compatMode: "CSS1Compat",
        readyState: "loading",
        hidden: !world.isShown,
        visibilityState: world.isShown ? "visible" : "hidden",
        defaultView: globalThis,
        documentElement: root,
        head,
        get body() {
            return document.readyState === "loading" && !isParsed ? null : body;
        },
        get activeElement() {
            return focusedElement() ?? document.body;
        },
        get forms() {
            return find("form");
        },
        get images() {
            return find("img");
        },
        get links() {
            return find("a[href]");
        },
        get scripts() {
            return find("script");
        },
        createElement,
        createElementNS: (namespace, tag) => createElement(tag),
        createTextNode: (data) => new Text(data),
        createComment: (data) => new Comment(data),
        createDocumentFragment: () => new DocumentFragment(),
        createEvent: () => new Event("event"),
        importNode: (node, isDeep) => node.cloneNode(isDeep),
        adoptNode: (node) => node,
        getElementById: (id) => find("*").find((node) => node.id === String(id)) ?? null,
        getElementsByTagName: (tag) => find(String(tag)),
        getElementsByClassName: (names) => find(String(names).trim().replace(/\s+|^/g, ".")),
        getElementsByName: (name) => find("*").filter((node) => node.getAttribute("name") === String(name)),
        querySelector: (selector) => find(selector)[0] ?? null,
        querySelectorAll: (selector) => find(selector),
        append: (...nodes) => root.append(...nodes),
        appendChild: (node) => root.appendChild(node),
        contains: (node) => root.contains(node),
        hasFocus: () => world.isShown,
        execCommand: () => false,
        getSelection: () => globalThis.getSelection(),
        ...target.methods,
        dispatchEvent: (event) => dispatchAlong(event, document, [target, window]),
    };
    const document = new HTMLDocument();
    for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(members))) {
        Object.defineProperty(document, name, { ...member, enumerable: name === "location" });
    }

    /** Something happened to a frame element. */
    const frameDid = (type) => (number) => {
        look().forEach((node) => node instanceof HTMLIFrameElement && node.number === number && node.happen(type, {}));
    };

    return { document, dispatch: target.dispatch, frameLoaded: frameDid("load"), frameFailed: frameDid("error") };
}
