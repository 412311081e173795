// Puts the extension API into a world, and gives the function by which tasks are delivered to it.
//
// Evaluated as a function of: what the bundle of the API exports, the native function of the world, the world as JSON
// (host.d.ts of port-core-webext has both), and whether scripts take the page for a worker.
((exported, native, worldText, isWorker) => {
    "use strict";
    const { createApi } = exported;
    // The numbers of `natives.rs`.
    const [CONNECT_TAB, CONNECT_RUNTIME, DISCONNECT, LISTEN, CALL, CONSOLE, IMPORT] = [0, 1, 2, 3, 4, 5, 6];
    const { parse } = JSON;
    const world = parse(worldText);
    const toText = String;
    const setTimer = setTimeout.bind(globalThis);
    const describe = (thrown) => {
        try {
            const stack = typeof thrown === "object" && thrown !== null ? thrown.stack : undefined;
            return stack === undefined ? toText(thrown) : `${toText(thrown)}\n${toText(stack)}`;
        } catch {
            return "what was thrown has no text";
        }
    };
    const reportException = (thrown) => void native(CONSOLE, "error", describe(thrown));
    const natives = {
        __proto__: null,
        connectTab: (tab, frame, document, name, isOneOff) => native(CONNECT_TAB, tab, frame, document, name, isOneOff),
        connectRuntime: (extension, name, isOneOff) => native(CONNECT_RUNTIME, extension, name, isOneOff),
        // One text: every value that is handed over costs about as much as the rest of the call.
        postMessage: (port, json) => native(`${port} ${json}`) ?? undefined,
        disconnect: (port) => native(DISCONNECT, port) ?? undefined,
        setListening: (...heard) => void native(LISTEN, ...heard),
        call: (number, method, argumentsJson) => void native(CALL, number, method, argumentsJson),
        console: (level, text) => void native(CONSOLE, level, text),
        reportException,
    };
    const platform = {
        __proto__: null,
        later: (milliseconds, callback) => void setTimer(callback, milliseconds),
        DOMException,
    };
    const { api, chrome, deliver } = createApi(natives, world, platform);
    // Data properties, as in browsers; scripts may shadow them.
    globalThis.browser = api;
    if (chrome !== undefined) {
        globalThis.chrome = chrome;
    }
    const tasks = {
        __proto__: null,
        ...deliver,
        message: (port, json) => deliver.message(port, parse(json)),
        // A connect that was refused once its context was attached.
        refused: (port) => deliver.disconnect(port, "LimitReached"),
    };

    // The engine runs no microtasks after a call from outside, but it does after a listener of an event. So each task
    // is one: it goes through an event target that nobody else knows.
    const bell = new EventTarget();
    const dispatch = bell.dispatchEvent.bind(bell);
    const NewEvent = Event;
    let task;
    bell.addEventListener("task", () => {
        const [name, given] = task;
        task = undefined;
        try {
            tasks[name](...given);
        } catch (error) {
            reportException(error);
        }
    });
    let idle;
    const run = (name, given) => {
        task = [name, given];
        // An event is used again, but not within its own dispatch: a script's dialog runs tasks while it is shown.
        const event = idle ?? new NewEvent("task");
        idle = undefined;
        dispatch(event);
        idle = event;
    };
    const { slice, indexOf } = String.prototype;
    const cut = slice.call.bind(slice);
    const placeIn = indexOf.call.bind(indexOf);
    const handle = (first, ...given) => {
        if (first[0] !== "[") {
            run(first, given);
            return;
        }
        // Each message is a task, and all came in one text: ports with the lengths of their messages, and the messages.
        let start = placeIn(first, "]") + 1;
        const places = parse(cut(first, 0, start));
        for (let index = 0; index < places.length; index += 2) {
            const end = start + places[index + 1];
            run("message", [places[index], cut(first, start, end)]);
            start = end;
        }
    };
    // The document holds the function by this listener, and the browser does not: or no document would ever be freed.
    addEventListener("pagehide", () => handle);

    // A failure that nobody handles. Only what happens in the world itself comes here.
    addEventListener("unhandledrejection", ({ reason, isTrusted }) => isTrusted && reportException(reason));
    if (world.kind !== "content-script") {
        addEventListener("error", ({ error, message }) => reportException(error ?? message));
        for (const level of ["log", "info", "warn", "error", "debug"]) {
            const write = console[level].bind(console);
            console[level] = (...values) => {
                write(...values);
                native(CONSOLE, level, values.map(toText).join(" "));
            };
        }
    }
    if (isWorker) {
        const { serviceWorker } = navigator;
        globalThis.importScripts = (...urls) => {
            for (const url of urls) {
                native(IMPORT, toText(new URL(url, location.href)));
            }
        };
        globalThis.skipWaiting = async () => undefined;
        globalThis.clients = { matchAll: async () => [], claim: async () => undefined };
        globalThis.registration = serviceWorker === undefined ? {} : { scope: world.extension.base };
    }
    return handle;
});
