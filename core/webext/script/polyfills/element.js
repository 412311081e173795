// Elements: attributes, styles and classes, the values of forms, and what follows a click.

import { createClassList, createDataset, createStyle } from "./attributes.js";
import { Control } from "./control.js";
import { Comment, DocumentFragment, Text } from "./tree.js";
import { readMarkup, writeMarkup } from "./markup.js";
import { createSelector, queries } from "./selector.js";

/** Properties that are attributes, by the attribute's name where it is another. */
const TEXTS = { accept: "", action: "", alt: "", charset: "", cols: "", download: "", enctype: "", headers: "", htmlFor: "for", lang: "", max: "", media: "", method: "", min: "", name: "", pattern: "", placeholder: "", rel: "", rows: "", scope: "", size: "", slot: "", step: "", target: "", title: "", accessKey: "accesskey", contentEditable: "contenteditable", dir: "", height: "", width: "", type: "", role: "", label: "" };
const FLAGS = { async: "", autofocus: "", autoplay: "", controls: "", defer: "", disabled: "", draggable: "", hidden: "", loop: "", multiple: "", muted: "", noModule: "nomodule", open: "", readOnly: "readonly", required: "", spellcheck: "", defaultChecked: "checked", defaultSelected: "selected" };

const attributesOf = new WeakMap();
const stylesOf = new WeakMap();

/** Makes nodes of HTML. */
let makeElement = () => undefined;
const make = {
    element: (name) => makeElement(name),
    text: (data) => new Text(data),
    comment: (data) => new Comment(data),
};

/** Has elements that HTML names made by a function. */
export function setElementMaker(maker) {
    makeElement = maker;
}

/** Puts what HTML says into a node. */
export const fill = (node, html) => readMarkup(String(html), make, node);

export function parseFragment(html) {
    const fragment = new DocumentFragment();
    fill(fragment, html);
    return fragment;
}

/** An element. */
export class HTMLElement extends Control {
    constructor(tagName) {
        super();
        Object.defineProperty(this, "tagName", { value: tagName.toUpperCase() });
        attributesOf.set(this, new Map());
    }

    get nodeType() {
        return 1;
    }

    get nodeName() {
        return this.tagName;
    }

    get localName() {
        return this.tagName.toLowerCase();
    }

    get ownerDocument() {
        return globalThis.document;
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

    get classList() {
        return createClassList(this);
    }

    get dataset() {
        return createDataset(this);
    }

    get style() {
        if (!stylesOf.has(this)) {
            stylesOf.set(this, createStyle());
            stylesOf.get(this).cssText = this.getAttribute("style") ?? "";
        }
        return stylesOf.get(this);
    }

    set style(text) {
        this.style.cssText = text;
    }

    get innerText() {
        return this.textContent;
    }

    set innerText(value) {
        this.textContent = value;
    }

    get innerHTML() {
        return this.childNodes.map(writeMarkup).join("");
    }

    set innerHTML(html) {
        this.replaceChildren(parseFragment(html));
    }

    get outerHTML() {
        return writeMarkup(this);
    }

    get content() {
        return this.tagName === "TEMPLATE" ? parseFragment(this.innerHTML) : (this.getAttribute("content") ?? undefined);
    }

    get href() {
        return this.resolved("href");
    }

    set href(value) {
        this.setAttribute("href", value);
    }

    get src() {
        return this.resolved("src");
    }

    set src(value) {
        this.setAttribute("src", value);
    }

    /** An attribute that is a URL. */
    resolved(name) {
        const given = this.getAttribute(name);
        return given === null ? "" : (this.resolveUrl(given) ?? given);
    }

    getAttribute(name) {
        return attributesOf.get(this).get(String(name).toLowerCase()) ?? null;
    }

    getAttributeNames() {
        return [...attributesOf.get(this).keys()];
    }

    get attributes() {
        return [...attributesOf.get(this)].map(([name, value]) => ({ name, value }));
    }

    hasAttribute(name) {
        return attributesOf.get(this).has(String(name).toLowerCase());
    }

    setAttribute(name, value) {
        attributesOf.get(this).set(String(name).toLowerCase(), String(value));
        this.attributeChanged(String(name).toLowerCase());
    }

    removeAttribute(name) {
        attributesOf.get(this).delete(String(name).toLowerCase());
    }

    toggleAttribute(name, force = !this.hasAttribute(name)) {
        if (force) {
            this.setAttribute(name, "");
        } else {
            this.removeAttribute(name);
        }
        return force;
    }

    attributeChanged() {}

    resolveUrl(url) {
        return url;
    }

    matches(selector) {
        return createSelector(selector)(this);
    }

    closest(selector) {
        const matches = createSelector(selector);
        let element = this;
        while (element !== null && !matches(element)) {
            element = element.parentElement;
        }
        return element;
    }

    querySelector(selector) {
        return queries(this).first(selector);
    }

    querySelectorAll(selector) {
        return queries(this).all(selector);
    }

    getElementsByTagName(name) {
        return queries(this).all(name);
    }

    getElementsByClassName(names) {
        return queries(this).all(String(names).trim().replace(/\s+|^/g, "."));
    }

    insertAdjacentElement(place, element) {
        this.insertBeside(place, element);
        return element;
    }

    insertAdjacentHTML(place, html) {
        this.insertBeside(place, parseFragment(html));
    }

    insertAdjacentText(place, text) {
        this.insertBeside(place, new Text(text));
    }

    insertBeside(place, node) {
        const ways = { beforebegin: "before", afterbegin: "prepend", beforeend: "append", afterend: "after" };
        this[ways[String(place).toLowerCase()]](node);
    }

    attachShadow() {
        const root = new DocumentFragment();
        Object.defineProperty(this, "shadowRoot", { value: root, configurable: true });
        return root;
    }

    copy() {
        const copy = makeElement(this.localName);
        this.attributes.forEach(({ name, value }) => copy.setAttribute(name, value));
        return copy;
    }

    scrollIntoView() {}

    getBoundingClientRect() {
        return { x: 0, y: 0, top: 0, left: 0, right: 0, bottom: 0, width: 0, height: 0 };
    }

    get [Symbol.toStringTag]() {
        return interfaces.get(this.tagName) ?? "HTMLElement";
    }
}

for (const [property, attribute] of Object.entries(TEXTS)) {
    const name = attribute === "" ? property : attribute;
    Object.defineProperty(HTMLElement.prototype, property, {
        get() {
            return this.getAttribute(name) ?? "";
        },
        set(value) {
            this.setAttribute(name, value);
        },
        configurable: true,
    });
}
for (const [property, attribute] of Object.entries(FLAGS)) {
    const name = attribute === "" ? property : attribute;
    Object.defineProperty(HTMLElement.prototype, property, {
        get() {
            return this.hasAttribute(name);
        },
        set(value) {
            this.toggleAttribute(name, Boolean(value));
        },
        configurable: true,
    });
}

/** The interfaces of elements, all of which are one class here. */
export const interfaces = new Map([
    ["A", "HTMLAnchorElement"],
    ["BODY", "HTMLBodyElement"],
    ["BUTTON", "HTMLButtonElement"],
    ["CANVAS", "HTMLCanvasElement"],
    ["DIV", "HTMLDivElement"],
    ["FORM", "HTMLFormElement"],
    ["HEAD", "HTMLHeadElement"],
    ["HTML", "HTMLHtmlElement"],
    ["IFRAME", "HTMLIFrameElement"],
    ["IMG", "HTMLImageElement"],
    ["INPUT", "HTMLInputElement"],
    ["LABEL", "HTMLLabelElement"],
    ["LI", "HTMLLIElement"],
    ["OPTION", "HTMLOptionElement"],
    ["P", "HTMLParagraphElement"],
    ["SCRIPT", "HTMLScriptElement"],
    ["SELECT", "HTMLSelectElement"],
    ["SPAN", "HTMLSpanElement"],
    ["TABLE", "HTMLTableElement"],
    ["TEMPLATE", "HTMLTemplateElement"],
    ["TEXTAREA", "HTMLTextAreaElement"],
    ["UL", "HTMLUListElement"],
    ["VIDEO", "HTMLVideoElement"],
]);
