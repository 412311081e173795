// Where browsers differ in shapes and texts, measured in Chromium 156 and Firefox 153.

const RECEIVING_END = "Could not establish connection. Receiving end does not exist.";

const chromium = {
    // Events have `hasListeners` and `dispatch` as well.
    eventsHaveListeners: true,
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
    // What a callback of sendMessage finds in `runtime.lastError` when nobody answered.
    noAnswer: "The message port closed before a response was received.",
    answerLost:
        "A listener indicated an asynchronous response by returning true, " +
        "but the message channel closed before a response was received",
    rejection: (error) =>
        error instanceof Error
            ? error.message
            : "A runtime.onMessage listener's promise rejected without an Error",
    // An id that cannot be one is refused at once.
    invalidExtension: (method, id) =>
        /^[a-p]{32}$/.test(id) ? undefined : invocation(method, `Invalid extension id: '${id}'`),

    // Argument errors; see arguments.js.
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

function chromiumProblem({ minimum, expected, value }) {
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
        default:
            return typeof value;
    }
}

const firefox = {
    eventsHaveListeners: false,
    callsRemovedListeners: false,
    portsHaveError: true,
    closedPort: "Attempt to postMessage on disconnected port",
    tooLarge: "Message exceeded maximum allowed size of 64MiB.",
    disconnectErrors: { NoReceiver: RECEIVING_END },
    unserializable: (error) => error,
    noAnswer: undefined,
    answerLost: undefined,
    rejection: (error) => (error instanceof Error ? error.message : "An unexpected error occurred"),
    invalidExtension: () => undefined,

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

function firefoxProblem({ minimum, expected, value }) {
    return minimum === undefined
        ? `Expected ${expected} instead of ${JSON.stringify(value)}`
        : `Integer ${value} is too small (must be at least ${minimum})`;
}

export const profiles = { chromium, firefox };
