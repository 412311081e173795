// HTML as text: read into nodes, and written. Tolerant: what is not closed ends with what it is in.

const VOID = new Set("area base br col embed hr img input link meta param source track wbr".split(" "));
const RAW = new Set(["script", "style", "textarea", "title", "noscript"]);

/** Elements that end an open one of the same kind. */
const CLOSES = new Map([
    ["li", ["li"]],
    ["option", ["option"]],
    ["p", ["p"]],
    ["tr", ["tr", "td", "th"]],
    ["td", ["td", "th"]],
    ["th", ["td", "th"]],
    ["dt", ["dt", "dd"]],
    ["dd", ["dt", "dd"]],
]);

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "\u00a9", hellip: "\u2026", times: "\u00d7", mdash: "\u2014", ndash: "\u2013" };

function decode(text) {
    return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hexadecimal, name) => {
        if (name !== undefined) {
            return ENTITIES[name] ?? whole;
        }
        const code = decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal);
        return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    });
}

/**
 * Reads HTML.
 *
 * @param {string} html
 * @param {{element: (name: string) => object, text: (data: string) => object, comment: (data: string) => object}} make
 * @param {object} parent the node that takes what is read
 */
export function readMarkup(html, make, parent) {
    const open = [{ name: "", node: parent }];
    const top = () => open[open.length - 1];
    const close = (name) => {
        const at = open.findLastIndex((item) => item.name === name);
        if (at > 0) {
            open.length = at;
        }
    };
    const TOKEN = /<!--([\s\S]*?)(?:-->|$)|<[!?][^>]*>|<\/([a-z][^\s>/]*)[^>]*>|<([a-z][^\s>/]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/giy;
    let at = 0;
    while (at < html.length) {
        TOKEN.lastIndex = at;
        const found = html[at] === "<" ? TOKEN.exec(html) : null;
        if (found === null) {
            const next = html.indexOf("<", at + 1);
            const end = next < 0 ? html.length : next;
            top().node.append(make.text(decode(html.slice(at, end))));
            at = end;
            continue;
        }
        at = TOKEN.lastIndex;
        const [, comment, closing, opening, attributes] = found;
        if (comment !== undefined) {
            top().node.append(make.comment(comment));
        } else if (closing !== undefined) {
            close(closing.toLowerCase());
        } else if (opening !== undefined) {
            const name = opening.toLowerCase();
            while (CLOSES.get(name)?.includes(top().name)) {
                open.pop();
            }
            while (name === "body" && open.length > 1 && top().name !== "html") {
                open.pop();
            }
            const node = make.element(name);
            for (const [, attribute, , double, single, bare] of attributes.matchAll(/([^\s=/"'<>]+)(\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g)) {
                if (!node.hasAttribute(attribute)) {
                    node.setAttribute(attribute, decode(double ?? single ?? bare ?? ""));
                }
            }
            top().node.append(node);
            if (RAW.has(name)) {
                const end = html.toLowerCase().indexOf(`</${name}`, at);
                const text = html.slice(at, end < 0 ? html.length : end);
                if (text !== "") {
                    node.append(make.text(name === "script" || name === "style" ? text : decode(text)));
                }
                const after = end < 0 ? -1 : html.indexOf(">", end);
                at = after < 0 ? html.length : after + 1;
            } else if (!VOID.has(name)) {
                open.push({ name, node });
            }
        }
    }
}

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Writes a node. */
export function writeMarkup(node) {
    if (node.nodeType === 3) {
        const isRaw = ["SCRIPT", "STYLE"].includes(node.parentNode?.tagName);
        return isRaw ? node.data : escape(node.data);
    }
    if (node.nodeType === 8) {
        return `<!--${node.data}-->`;
    }
    const inside = node.childNodes.map(writeMarkup).join("");
    if (node.nodeType !== 1) {
        return inside;
    }
    const name = node.tagName.toLowerCase();
    const attributes = node.getAttributeNames().map((attribute) => ` ${attribute}="${escape(node.getAttribute(attribute)).replaceAll('"', "&quot;")}"`);
    const start = `<${name}${attributes.join("")}>`;
    return VOID.has(name) ? start : `${start}${inside}</${name}>`;
}
