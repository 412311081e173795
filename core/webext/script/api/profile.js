// Where browsers differ in shapes and texts, measured in Chromium 156 and Firefox 153.

import {
    NewError,
    NewTypeError,
    absolute,
    charCodeAt,
    create,
    freeze,
    getOwnPropertyDescriptors,
    greatestSafeInteger,
    isArray,
    isInteger,
    parse,
    slice,
    stringify,
    toText,
} from "./intrinsics.js";

const RECEIVING_END = "Could not establish connection. Receiving end does not exist.";

/** Whether a reason says that a channel came to nobody. */
const reachedNobody = (reason) => reason === "NoReceiver" || reason === "BackgroundNotStarted";

const chromium = {
    __proto__: null,
    // Messages are JSON, unless the manifest asks for structured clones.
    clonesMessages: false,
    // What is in surface.js.
    hasSurface: true,
    // What content scripts have besides, of which nothing works.
    addContentApi(api, permissions) {
        api.dom = { openOrClosedShadowRoot: () => null };
        if (permissions.includes("scripting")) {
            api.scripting = { globalParams: {} };
        }
    },
    // How long it takes to hear from the browser process that there is no receiver.
    roundTrip: 4,
    // What `message` of a window's `error` event is.
    uncaught: (error) => `Uncaught ${error}`,
    // Whether a window hears of what listeners of the extension API throw, whether one with
    // content scripts hears anything, and whether of what an executed function throws.
    tellsOfListeners: false,
    tellsContentScripts: true,
    tellsOfExecuted: true,
    // Whether frames of a closed tab are hidden before they hear `pagehide`.
    hidesFramesFirst: true,
    // Methods of ports and events check what they are called on; events have `hasListeners`
    // and `dispatch` as well.
    methodsNeedTheirPort: true,
    // A port's events are made when they are first asked for, and forget their listeners with its end.
    eventsAreLazy: true,
    forgetsListeners: true,
    noLastError: undefined,
    makeLastError: (message) => ({ message }),
    discardsMany: false,
    // Ports have a name, which travels as UTF-8.
    portName: (info) => wellFormed(info?.name ?? ""),
    sendName: (name) => name,
    receiveName: (name) => name,
    // A listener removed while an event is dispatched is still called for it.
    callsRemovedListeners: true,
    // Ports tell of errors by `runtime.lastError`, not by `port.error`.
    portsHaveError: false,
    closedPort: "Attempting to use a disconnected port object",
    tooLarge: "Message exceeded maximum allowed size of 64MiB.",
    reachedNobody,
    // A port that ends for another reason ends without an error.
    disconnectErrors: {
        __proto__: null,
        NoReceiver: RECEIVING_END,
        BackgroundNotStarted: RECEIVING_END,
        BackForwardCache:
            "The page keeping the extension port is moved into back/forward cache, so the message channel is closed.",
    },
    unserializable: () => new NewError("Could not serialize message."),
    notCloneable: () => new NewError("Could not serialize message."),
    symbolNotCloneable: () => new NewError("Could not serialize message."),
    // What a callback of sendMessage finds in `runtime.lastError` when nobody answered.
    noAnswer: "The message port closed before a response was received.",
    answerLost:
        "A listener indicated an asynchronous response by returning true, " +
        "but the message channel closed before a response was received",
    // An answer that cannot be serialized: what the sender hears, and whether the listener does.
    unserializableAnswer: "Could not serialize message.",
    refusesAnswers: true,
    // A message that cannot be: thrown, or given for the promise to be rejected with.
    unsendable(method, error) {
        throw invocation(method, error.message);
    },
    // `runtime.sendMessage` reads its arguments by a rule of its own, and refuses them later; see send_arguments.js.
    sendsLeniently: false,
    // How long until what is unreachable is collected, in milliseconds: seconds to minutes in browsers, where no engine
    // counts references. What else ends the channel comes before.
    collection: 4000,
    // What the sender hears when nothing is left that could answer: an error of the listener's side, `""` where the
    // end of the channel says it, undefined where nobody ever says it.
    answerCollected: () => "",
    rejection: (error) =>
        error instanceof NewError
            ? error.message
            : "A runtime.onMessage listener's promise rejected without an Error",
    // An id that cannot be one is refused at once.
    invalidExtension: (method, id) =>
        isExtensionId(id) ? undefined : invocation(method, `Invalid extension id: '${id}'`),
    // A page of the web gave none.
    extensionMissing: (method) =>
        invocation(
            method,
            `chrome.${method.name}() called from a webpage must specify an Extension ID (string) for its first argument.`,
        ),

    // Argument errors; see arguments.js.
    asksGetters: true,
    notPlain: undefined,
    noSignature: (method) => invocation(method, "No matching signature."),
    badArgument: (method, parameter, problem, property) => {
        const inner = property === undefined ? "" : `Error at property '${property}': `;
        return invocation(method, `Error at parameter '${parameter}': ${inner}${chromiumProblem(problem)}`);
    },
    unexpectedProperty: (method, parameter, property) =>
        invocation(method, `Error at parameter '${parameter}': Unexpected property: '${property}'.`),
    // Integers are 32 bits wide.
    greatestInteger: 2 ** 31 - 1,
};

function invocation(method, text) {
    return new NewTypeError(`Error in invocation of ${method.name}(${method.signature}): ${text}`);
}

function chromiumProblem({ text, minimum, expected, value }) {
    if (text !== undefined) {
        return text;
    }
    return minimum === undefined
        ? `Invalid type: expected ${expected}, found ${chromiumType(value)}.`
        : `Value must be at least ${minimum}.`;
}

function chromiumType(value) {
    switch (typeof value) {
        case "number":
            return isInteger(value) && absolute(value) < 2 ** 31 ? "integer" : "number";
        case "object":
            return value === null ? "null" : isArray(value) ? "array" : "object";
        case "bigint":
        case "symbol":
            return "other";
        default:
            return typeof value;
    }
}

/** The names of errors come from the platform: a `DOMException` that it may lack. */
const firefox = (DOMException) => ({
    __proto__: null,
    clonesMessages: true,
    hasSurface: false,
    addContentApi(api) {
        for (const name of ["manifest", "menus", "normandyAddonStudy", "storage", "test", "trial", "userScripts"]) {
            api[name] ??= undefined;
        }
    },
    roundTrip: 4,
    uncaught: (error) => (error instanceof NewError ? toText(error) : `uncaught exception: ${error}`),
    tellsOfListeners: true,
    tellsContentScripts: false,
    tellsOfExecuted: false,
    hidesFramesFirst: false,
    methodsNeedTheirPort: false,
    eventsAreLazy: false,
    forgetsListeners: false,
    noLastError: null,
    makeLastError: (message) => new NewError(message),
    discardsMany: true,
    // Without `connectInfo` the name is empty; with one that has none it is null. Any
    // other name is sent as it is, or where UTF-8 cannot have it, as JSON behind a NUL.
    portName: (info) => (info === undefined ? "" : (info.name ?? null)),
    sendName: (name) =>
        name !== null && wellFormed(name) === name && name[0] !== "\0" ? name : `\0${stringify(name)}`,
    receiveName: (name) => (name[0] === "\0" ? parse(slice(name, 1)) : name),
    callsRemovedListeners: false,
    portsHaveError: true,
    closedPort: "Attempt to postMessage on disconnected port",
    tooLarge: "Message exceeded maximum allowed size of 64MiB.",
    reachedNobody,
    disconnectErrors: { __proto__: null, NoReceiver: RECEIVING_END, BackgroundNotStarted: RECEIVING_END },
    unserializable: (error) => error,
    notCloneable: (kind) => new DOMException(`${kind} object could not be cloned.`, "DataCloneError"),
    symbolNotCloneable: () => new DOMException("An exception was thrown", "InvalidStateError"),
    noAnswer: undefined,
    answerLost: RECEIVING_END,
    unserializableAnswer: RECEIVING_END,
    refusesAnswers: false,
    unsendable: (method, error) =>
        error.name === "DataCloneError" ? error : new NewError("An unexpected error occurred"),
    rejection: (error) => (typeof error?.message === "string" ? error.message : "An unexpected error occurred"),
    sendsLeniently: true,
    collection: 4000,
    answerCollected: (kind) =>
        kind === "content-script" ? undefined : "Promised response from onMessage listener went out of scope",
    invalidExtension: () => undefined,

    asksGetters: false,
    notPlain: (tag) => (tag === "Object" ? undefined : `Expected a plain JavaScript object, got a ${tag}`),
    noSignature: (method) => new NewError(`Incorrect argument types for ${method.name}.`),
    badArgument: (method, parameter, problem, property) => {
        if (typeof problem.value === "bigint") {
            throw new DOMException("An exception was thrown", "InvalidStateError");
        }
        const text = firefoxProblem(problem);
        const inner = property === undefined ? text : `Error processing ${property}: ${text}`;
        return new NewError(`Type error for parameter ${parameter} (${inner}) for ${method.name}.`);
    },
    unexpectedProperty: (method, parameter, property) =>
        new NewError(`Type error for parameter ${parameter} (Unexpected property "${property}") for ${method.name}.`),
    greatestInteger: greatestSafeInteger,
});

function firefoxProblem({ text, minimum, expected, value }) {
    if (text !== undefined) {
        return text;
    }
    return minimum === undefined
        ? `Expected ${expected} instead of ${stringify(value)}`
        : `Integer ${value} is too small (must be at least ${minimum})`;
}

/** The text as it can be written in UTF-8: each half of a broken pair becomes three replacement characters. */
function wellFormed(text) {
    let written = "";
    let copied = 0;
    for (let at = 0; at < text.length; at += 1) {
        const unit = charCodeAt(text, at);
        if (unit < 0xd800 || unit > 0xdfff) {
            continue;
        }
        const next = at + 1 < text.length ? charCodeAt(text, at + 1) : 0;
        if (unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff) {
            at += 1;
            continue;
        }
        written += slice(text, copied, at) + "\ufffd\ufffd\ufffd";
        copied = at + 1;
    }
    return copied === 0 ? text : written + slice(text, copied);
}

/** Whether a text is one of Chromium's ids: 32 letters from `a` to `p`. */
function isExtensionId(text) {
    for (let at = 0; at < text.length; at += 1) {
        const unit = charCodeAt(text, at);
        if (unit < 0x61 || unit > 0x70) {
            return false;
        }
    }
    return text.length === 32;
}

/**
 * The ways of a browser.
 *
 * @param {string} name "chromium" or "firefox"
 * @param {{DOMException: Function}} platform see host.d.ts
 */
export function createProfile(name, { DOMException }) {
    return freeze(name === "firefox" ? firefox(DOMException) : create(null, getOwnPropertyDescriptors(chromium)));
}
