// Where browsers differ in shapes and texts, measured in Chromium 156 and Firefox 153.

import { DOMException } from "./platform.js";

const RECEIVING_END = "Could not establish connection. Receiving end does not exist.";

const chromium = {
    // Messages are JSON, unless the manifest asks for structured clones.
    clonesMessages: false,
    // What is in surface.js.
    hasSurface: true,
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
    // A port that ends for another reason ends without an error.
    disconnectErrors: {
        NoReceiver: RECEIVING_END,
        BackForwardCache:
            "The page keeping the extension port is moved into back/forward cache, so the message channel is closed.",
    },
    unserializable: () => new Error("Could not serialize message."),
    notCloneable: () => new Error("Could not serialize message."),
    symbolNotCloneable: () => new Error("Could not serialize message."),
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
    // A call without any argument is refused like other wrong ones, or later.
    noMessage: undefined,
    rejection: (error) =>
        error instanceof Error
            ? error.message
            : "A runtime.onMessage listener's promise rejected without an Error",
    // An id that cannot be one is refused at once.
    invalidExtension: (method, id) =>
        /^[a-p]{32}$/.test(id) ? undefined : invocation(method, `Invalid extension id: '${id}'`),

    // Argument errors; see arguments.js.
    asksGetters: true,
    notPlain: undefined,
    noSignature: (method) => invocation(method, "No matching signature."),
    badArgument: (method, parameter, { property, problem }) => {
        const inner = property === undefined ? "" : `Error at property '${property}': `;
        return invocation(method, `Error at parameter '${parameter}': ${inner}${chromiumProblem(problem)}`);
    },
    unexpectedProperty: (method, parameter, property) =>
        invocation(method, `Error at parameter '${parameter}': Unexpected property: '${property}'.`),
    // Integers are 32 bits wide.
    greatestInteger: 2 ** 31 - 1,
};

function invocation(method, text) {
    return new TypeError(`Error in invocation of ${method.name}(${method.signature}): ${text}`);
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
            return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? "integer" : "number";
        case "object":
            return value === null ? "null" : Array.isArray(value) ? "array" : "object";
        case "bigint":
        case "symbol":
            return "other";
        default:
            return typeof value;
    }
}

const firefox = {
    clonesMessages: true,
    hasSurface: false,
    roundTrip: 4,
    uncaught: (error) => (error instanceof Error ? String(error) : `uncaught exception: ${error}`),
    tellsOfListeners: true,
    tellsContentScripts: false,
    tellsOfExecuted: false,
    hidesFramesFirst: false,
    methodsNeedTheirPort: false,
    eventsAreLazy: false,
    forgetsListeners: false,
    noLastError: null,
    makeLastError: (message) => new Error(message),
    discardsMany: true,
    // Without `connectInfo` the name is empty; with one that has none it is null. Any
    // other name is sent as it is, or where UTF-8 cannot have it, as JSON behind a NUL.
    portName: (info) => (info === undefined ? "" : (info.name ?? null)),
    sendName: (name) =>
        name !== null && name.isWellFormed() && !name.startsWith("\0") ? name : `\0${JSON.stringify(name)}`,
    receiveName: (name) => (name.startsWith("\0") ? JSON.parse(name.slice(1)) : name),
    callsRemovedListeners: false,
    portsHaveError: true,
    closedPort: "Attempt to postMessage on disconnected port",
    tooLarge: "Message exceeded maximum allowed size of 64MiB.",
    disconnectErrors: { NoReceiver: RECEIVING_END },
    unserializable: (error) => error,
    notCloneable: (kind) => new DOMException(`${kind} object could not be cloned.`, "DataCloneError"),
    symbolNotCloneable: () => new DOMException("An exception was thrown", "InvalidStateError"),
    noAnswer: undefined,
    answerLost: RECEIVING_END,
    unserializableAnswer: RECEIVING_END,
    refusesAnswers: false,
    unsendable: (method, error) =>
        error.name === "DataCloneError" ? error : new Error("An unexpected error occurred"),
    rejection: (error) => (typeof error?.message === "string" ? error.message : "An unexpected error occurred"),
    noMessage: (method) => new Error(`${method.name}'s message argument is missing`),
    invalidExtension: () => undefined,

    asksGetters: false,
    notPlain: (tag) => (tag === "Object" ? undefined : `Expected a plain JavaScript object, got a ${tag}`),
    noSignature: (method) => new Error(`Incorrect argument types for ${method.name}.`),
    badArgument: (method, parameter, { property, problem }) => {
        const text = firefoxProblem(problem);
        const inner = property === undefined ? text : `Error processing ${property}: ${text}`;
        return new Error(`Type error for parameter ${parameter} (${inner}) for ${method.name}.`);
    },
    unexpectedProperty: (method, parameter, property) =>
        new Error(`Type error for parameter ${parameter} (Unexpected property "${property}") for ${method.name}.`),
    greatestInteger: Number.MAX_SAFE_INTEGER,
};

function firefoxProblem({ text, minimum, expected, value }) {
    if (text !== undefined) {
        return text;
    }
    if (typeof value === "bigint") {
        throw firefox.symbolNotCloneable();
    }
    return minimum === undefined
        ? `Expected ${expected} instead of ${JSON.stringify(value)}`
        : `Integer ${value} is too small (must be at least ${minimum})`;
}

/** The text as it can be written in UTF-8: each half of a broken pair becomes three replacement characters. */
function wellFormed(text) {
    return text.isWellFormed() ? text : text.replace(/\p{Surrogate}/gu, "\ufffd\ufffd\ufffd");
}

export const profiles = { chromium, firefox };
