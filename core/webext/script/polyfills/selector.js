// Selectors: compounds of a tag, ids, classes, attributes and a few pseudo-classes, joined by `>`, `+`, `~` or a space.

const COMPOUND = /\*|[\w-]+|#(?:[\w-]|\\.)+|\.(?:[\w-]|\\.)+|\[\s*([\w:-]+)\s*(?:([~|^$*]?=)\s*("[^"]*"|'[^']*'|[^\]\s]+)\s*i?)?\s*\]|:([\w-]+)(?:\(([^)]*)\))?/y;

const unescape = (text) => text.replace(/\\(.)/g, "$1");

/** The test of one part of a compound, whose match is given. */
function testOf([text, attribute, operator, quoted, pseudo, argument]) {
    if (text[0] === "#") {
        return (element) => element.id === unescape(text.slice(1));
    }
    if (text[0] === ".") {
        return (element) => element.classList.contains(unescape(text.slice(1)));
    }
    if (attribute !== undefined) {
        const wanted = quoted?.replace(/^(["'])(.*)\1$/, "$2");
        return (element) => fitsAttribute(element.getAttribute(attribute), operator, wanted);
    }
    if (pseudo !== undefined) {
        return pseudoClass(pseudo, argument);
    }
    return text === "*" ? () => true : (element) => element.tagName === text.toUpperCase();
}

function fitsAttribute(value, operator, wanted) {
    if (value === null || operator === undefined) {
        return value !== null;
    }
    switch (operator) {
        case "=":
            return value === wanted;
        case "~=":
            return value.split(/\s+/).includes(wanted);
        case "|=":
            return value === wanted || value.startsWith(`${wanted}-`);
        case "^=":
            return value.startsWith(wanted);
        case "$=":
            return value.endsWith(wanted);
        default:
            return value.includes(wanted);
    }
}

function pseudoClass(name, argument) {
    switch (name) {
        case "checked":
            return (element) => element.checked === true || element.selected === true;
        case "disabled":
            return (element) => element.disabled === true;
        case "enabled":
            return (element) => element.disabled !== true;
        case "first-child":
            return (element) => element.previousElementSibling === null;
        case "last-child":
            return (element) => element.nextElementSibling === null;
        case "nth-child":
            return (element) => element.parentNode?.children.indexOf(element) === Number(argument) - 1;
        case "not": {
            const matches = createSelector(argument);
            return (element) => !matches(element);
        }
        case "is":
        case "where":
            return createSelector(argument);
        case "root":
            return (element) => element.tagName === "HTML";
        default:
            throw new SyntaxError(`not supported by this browser: the selector :${name}`);
    }
}

/** Reads a selector; gives the test of an element. */
export function createSelector(text) {
    const alternatives = split(String(text)).map(createComplex);
    return (element) => alternatives.some((matches) => matches(element));
}

/** The parts between commas, which may stand in brackets. */
function split(text) {
    const parts = [""];
    let depth = 0;
    for (const character of text) {
        depth += "([".includes(character) ? 1 : ")]".includes(character) ? -1 : 0;
        if (character === "," && depth === 0) {
            parts.push("");
        } else {
            parts[parts.length - 1] += character;
        }
    }
    return parts.map((part) => part.trim());
}

function createComplex(text) {
    const steps = [];
    let combinator = "";
    let at = 0;
    while (at < text.length) {
        const tests = [];
        COMPOUND.lastIndex = at;
        for (let found = COMPOUND.exec(text); found !== null; found = COMPOUND.exec(text)) {
            at = COMPOUND.lastIndex;
            // Reading an argument of `:not` uses the same expression.
            tests.push(testOf(found));
            COMPOUND.lastIndex = at;
        }
        if (tests.length === 0) {
            throw new SyntaxError(`'${text}' is not a valid selector.`);
        }
        steps.push({ combinator, tests });
        const [joint, sign] = /^\s*([>+~]?)\s*/.exec(text.slice(at));
        combinator = sign === "" ? " " : sign;
        at += joint.length;
    }
    return (element) => steps.length > 0 && fits(element, steps, steps.length - 1);
}

/** Whether an element fits the steps up to one. */
function fits(element, steps, last) {
    if (!steps[last].tests.every((test) => test(element))) {
        return false;
    }
    if (last === 0) {
        return true;
    }
    const isFound = (next) => {
        for (let other = next(element); other !== null; other = next(other)) {
            if (fits(other, steps, last - 1)) {
                return true;
            }
        }
        return false;
    };
    switch (steps[last].combinator) {
        case ">":
            return element.parentElement !== null && fits(element.parentElement, steps, last - 1);
        case "+":
            return element.previousElementSibling !== null && fits(element.previousElementSibling, steps, last - 1);
        case "~":
            return isFound((other) => other.previousElementSibling);
        default:
            return isFound((other) => other.parentElement);
    }
}

/** The first element in a node that fits a selector, and all. */
export function queries(node) {
    const all = (selector) => {
        const matches = createSelector(selector);
        const found = [];
        node.forEach((inner) => inner !== node && inner.nodeType === 1 && matches(inner) && found.push(inner));
        return found;
    };
    return { all, first: (selector) => all(selector)[0] ?? null };
}
