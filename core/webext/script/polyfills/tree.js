// The tree of a document: nodes, text and fragments. Nothing of it has an effect but where elements say so.

import { createEventTarget, createTrusted, dispatchAlong } from "./event_target.js";

/** How events reach each node; made when a node is first listened to. */
const targets = new WeakMap();

/** Who is told what listeners throw. Not on the nodes, which scripts reach. */
let reporting;

export function reportTo(native) {
    reporting = native;
}

function targetOf(node) {
    if (!targets.has(node)) {
        targets.set(node, createEventTarget(reporting, node));
    }
    return targets.get(node);
}

/** Each node's children and parent. */
const places = new WeakMap();

const placeOf = (node) => places.get(node);

/** A node. */
export class Node {
    constructor() {
        places.set(this, { children: [], parent: null });
    }

    get childNodes() {
        return [...placeOf(this).children];
    }

    get children() {
        return placeOf(this).children.filter((child) => child.nodeType === 1);
    }

    get childElementCount() {
        return this.children.length;
    }

    get firstChild() {
        return placeOf(this).children[0] ?? null;
    }

    get lastChild() {
        return placeOf(this).children.at(-1) ?? null;
    }

    get firstElementChild() {
        return this.children[0] ?? null;
    }

    get lastElementChild() {
        return this.children.at(-1) ?? null;
    }

    get parentNode() {
        return placeOf(this).parent;
    }

    get parentElement() {
        const { parent } = placeOf(this);
        return parent?.nodeType === 1 ? parent : null;
    }

    get nextSibling() {
        return beside(this, 1);
    }

    get previousSibling() {
        return beside(this, -1);
    }

    get nextElementSibling() {
        return elementBeside(this, 1);
    }

    get previousElementSibling() {
        return elementBeside(this, -1);
    }

    get isConnected() {
        return placeOf(this).parent?.isConnected ?? false;
    }

    hasChildNodes() {
        return placeOf(this).children.length > 0;
    }

    contains(node) {
        let isInside = false;
        this.forEach((inner) => {
            isInside ||= inner === node;
        });
        return isInside;
    }

    append(...nodes) {
        nodes.forEach((node) => this.insertBefore(node, null));
    }

    prepend(...nodes) {
        const first = this.firstChild;
        nodes.forEach((node) => this.insertBefore(node, first));
    }

    before(...nodes) {
        nodes.forEach((node) => this.parentNode?.insertBefore(node, this));
    }

    after(...nodes) {
        const next = this.nextSibling;
        nodes.forEach((node) => this.parentNode?.insertBefore(node, next));
    }

    appendChild(node) {
        return this.insertBefore(node, null);
    }

    insertBefore(given, next) {
        const node = given instanceof Node ? given : new Text(given);
        if (node.nodeType === 11) {
            node.childNodes.forEach((child) => this.insertBefore(child, next));
            return node;
        }
        if (node.contains(this)) {
            throw new globalThis.DOMException("The new child element contains the parent.", "HierarchyRequestError");
        }
        node.remove();
        const { children } = placeOf(this);
        const place = next === null || next === undefined ? children.length : children.indexOf(next);
        if (place < 0) {
            throw new globalThis.DOMException("The node before which to insert is not a child.", "NotFoundError");
        }
        children.splice(place, 0, node);
        placeOf(node).parent = this;
        if (this.isConnected) {
            node.forEach((inner) => inner.connected());
        }
        return node;
    }

    removeChild(node) {
        node.remove();
        return node;
    }

    replaceChild(node, old) {
        this.insertBefore(node, old);
        return this.removeChild(old);
    }

    replaceChildren(...nodes) {
        this.childNodes.forEach((node) => node.remove());
        this.append(...nodes);
    }

    replaceWith(...nodes) {
        this.before(...nodes);
        this.remove();
    }

    remove() {
        const place = placeOf(this);
        const { parent } = place;
        if (parent === null) {
            return;
        }
        const wasConnected = this.isConnected;
        placeOf(parent).children = placeOf(parent).children.filter((child) => child !== this);
        place.parent = null;
        if (wasConnected) {
            this.forEach((inner) => inner.disconnected());
        }
    }

    /** It and everything in it, in document order. */
    forEach(visit) {
        visit(this);
        this.childNodes.forEach((child) => child.forEach(visit));
    }

    cloneNode(isDeep) {
        const copy = this.copy();
        if (isDeep) {
            this.childNodes.forEach((child) => copy.append(child.cloneNode(true)));
        }
        return copy;
    }

    get textContent() {
        return this.childNodes.map((child) => (child.nodeType === 8 ? "" : child.textContent)).join("");
    }

    set textContent(value) {
        this.replaceChildren(...(value === null || value === "" ? [] : [String(value)]));
    }

    connected() {}

    disconnected() {}

    addEventListener(type, listener, options) {
        targetOf(this).methods.addEventListener(type, listener, options);
    }

    removeEventListener(type, listener) {
        targetOf(this).methods.removeEventListener(type, listener);
    }

    dispatchEvent(event) {
        const path = [];
        for (let node = this; node !== null && node !== undefined; node = node.parentNode) {
            path.push(targetOf(node));
        }
        return dispatchAlong(event, this, [...path, ...this.above()]);
    }

    /** An event of the browser's; gives whether what follows by default is to follow. */
    happen(type, details = { bubbles: true, cancelable: true }) {
        return this.dispatchEvent(createTrusted(type, { ...details }));
    }

    /** The targets above the tree. */
    above() {
        return [];
    }
}

function beside(node, distance) {
    const siblings = node.parentNode === null ? [] : placeOf(node.parentNode).children;
    return siblings[siblings.indexOf(node) + distance] ?? null;
}

function elementBeside(node, distance) {
    let next = beside(node, distance);
    while (next !== null && next.nodeType !== 1) {
        next = beside(next, distance);
    }
    return next;
}

/** A text. */
export class Text extends Node {
    constructor(data = "") {
        super();
        this.data = String(data);
    }

    get nodeType() {
        return 3;
    }

    get nodeName() {
        return "#text";
    }

    get nodeValue() {
        return this.data;
    }

    get textContent() {
        return this.data;
    }

    set textContent(value) {
        this.data = String(value);
    }

    copy() {
        return new Text(this.data);
    }
}

/** A comment. */
export class Comment extends Text {
    get nodeType() {
        return 8;
    }

    get nodeName() {
        return "#comment";
    }

    copy() {
        return new Comment(this.data);
    }
}

/** Nodes that go into a tree together. */
export class DocumentFragment extends Node {
    get nodeType() {
        return 11;
    }

    get nodeName() {
        return "#document-fragment";
    }

    copy() {
        return new DocumentFragment();
    }
}
