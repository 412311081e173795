// Everything that passes between the script's side and the host, for whoever writes an engine's glue.
//
// In Rust the same boundary is `ScriptHost`, `PageHost` and `ScriptEvent`. All numbers but times and
// counts are unsigned integers of 32 bits unless something else is said; texts are UTF-16 in script and
// UTF-8 at the host, and what cannot be UTF-8 never gets there. Every function is called on the thread of
// its context, and returns at once. A function of one world is never handed to another.

/** Why the host refused a post: one of the words, or a reason in words. The script gets an error. */
export type Refusal =
    /** The port has ended, was never opened, or is another context's. */
    | "Disconnected"
    /** The message is longer than messages may be, in bytes of UTF-8: 64 MiB in Chromium's profile. */
    | "TooLarge"
    /** The value is none that messages carry: from `postJson` alone. */
    | "Unserializable"
    /** The script's context is no more. */
    | "Gone"
    /** For instance that a receiver is too far behind. */
    | (string & {});

/** The native functions of `createApi`, each of the one context whose scripts call. */
export interface Natives {
    /**
     * Opens a channel to the frames of a tab; gives its number, which is the context's from then on.
     *
     * @param tab an integer of 53 bits, as is `frame`
     * @param frame that frame alone
     * @param document that document alone; text that names none finds no receiver
     * @param isOneOff whether it is the channel of one `sendMessage`
     * @throws an `Error` whose text scripts see, when the context is gone or a limit is reached
     */
    connectTab(tab: number, frame: number | undefined, document: string | undefined, name: string, isOneOff: boolean): number;

    /** The same to the pages of an extension; `undefined` for the context's own. */
    connectRuntime(extension: string | undefined, name: string, isOneOff: boolean): number;

    /** Posts a message, which is JSON text; gives why not. */
    postMessage(port: number, json: string): Refusal | undefined;

    /** The same with the value, which the engine writes as `JSON.stringify` does; undefined becomes null. */
    postJson?(port: number, value: unknown): Refusal | undefined;

    /**
     * The same for a value of which JSON says all that a structured clone does: plain objects and arrays, each met
     * once, and what they are made of. It goes as `{"j":…}`. Gives "NoTree" for any other value.
     */
    postTree?(port: number, value: unknown): Refusal | "NoTree" | undefined;

    /** Ends a channel; gives "Disconnected" when it has ended already or is not the context's. */
    disconnect(port: number): Refusal | undefined;

    /** Says which of the events by which connections come in have listeners. */
    setListening(ports: boolean, oneOff: boolean, externalPorts: boolean, externalOneOff: boolean): void;

    /**
     * Says whether an event that the browser process emits, such as "tabs.onRemoved", has listeners; without it nobody
     * is told. An event with listeners starts a background that was stopped.
     */
    setHeard?(event: string, isHeard: boolean): void;

    /**
     * Asks for an asynchronous call, such as "tabs.query", whose answer is delivered under the number.
     *
     * @param argumentsJson an array, `null` for what was left out; types are checked, values are not
     */
    call(number: number, method: string, argumentsJson: string): void;

    /** Writes a line. */
    console(level: "log" | "info" | "warn" | "error" | "debug", text: string): void;

    /** Reports what a listener threw. */
    reportException(thrown: unknown): void;

    /** Whether a value is a proxy, which no structured clone can be of; without it, none is taken for one. */
    isProxy?(value: unknown): boolean;

    /** The target of a proxy, undefined for anything else; without it, ports do not work through proxies. */
    proxyTarget?(value: unknown): object | undefined;

    /** The global object of the extension's background page; undefined where there is none in this engine. */
    backgroundWindow?(): object | undefined;

    /**
     * Makes a port object faster than script can: with the accessors `sender`, `onMessage` and `onDisconnect` (getter
     * and setter of each), then the plain properties `name`, `disconnect` and `postMessage`, all enumerable and
     * configurable. The functions come in this order.
     */
    makePort?(functions: Function[], name: string): object;
}

/** The native functions of `install`, for an engine without a web platform. */
export interface PageNatives extends Natives {
    /** Has `deliver.timer(number)` called after some milliseconds, which may be fractions. */
    setTimer(number: number, milliseconds: number): void;
    clearTimer(number: number): void;
    /** `performance.now()`. */
    now(): number;
    /** The parts of a URL as JSON, named as in the `URL` interface; undefined for what is no URL. */
    parseUrl(url: string, base: string | undefined): string | undefined;
    /** Runs another script of the extension in the global scope. @throws when there is no such script. */
    importScript(url: string): void;
    /** Runs a text as a classic script in the global scope, with its URL in stacks; gives its value, throws what it throws. */
    evaluate(url: string, text: string): unknown;
    /** Undefined where there is no document. */
    documentUrl(): string | undefined;
    setDocumentUrl(url: string, replace: boolean): void;
    /** Called by `deliver.press` and `deliver.type`. */
    pressed(): void;
    /** Called by `deliver.beforeUnload` when a script listens for `unload`. */
    keepFromCache(): void;
    postWindowMessage(json: string): void;
    setTitle(title: string): void;
    /** `what` is "get", "set", "remove", "clear" or "keys", which gives a JSON array. */
    siteStorage(area: "local" | "session", what: string, key: string, value: string): string | undefined;
    /** The text of a file of the extension. @throws when there is none */
    readFile(url: string): string;
    closeWindow(): void;
    openWindow(url: string): void;
    go(url: string, replace: boolean): void;
    reload(): void;
    traverse(delta: number): void;
    /** The frame elements as a JSON array of `{number, id, src}`. */
    frameElements(): string;
    /** To the window of a frame element; without one to the topmost, or the parent's. */
    postFrameMessage(element: number | undefined, isTop: boolean, json: string): void;
    addFrameElement(id: string, src: string, sandbox: string | undefined): number | undefined;
    navigateFrameElement(element: number, src: string): void;
    removeFrameElement(element: number): void;
    /** Answers `deliver.execute`: with JSON, undefined for undefined, or with what was thrown. */
    executed(number: number, json: string | undefined, error: string | undefined): void;
}

/** What scripts run in. */
export interface World {
    /** "main" is a page's own world. It gets what `createPageApi` gives, if an extension admits it. */
    kind: "content-script" | "background" | "page" | "main";
    profile: "chromium" | "firefox";
    extension: {
        /** `runtime.id`. */
        id: string;
        /** `runtime.dynamicId`. */
        instance: string;
        /** The URL of the extension's folder, with a slash at its end. */
        base: string;
        manifest: object;
        /** The names of the permissions that are granted, of the manifest and optional ones. */
        permissions: string[];
        /** The namespaces of the API that the manifest asks for and that are absent. */
        absentNamespaces: string[];
        /** The messages of `_locales`, by their names in lower case. */
        messages: Record<string, { message: string; placeholders?: Record<string, { content: string }> }>;
    };
    /** Whether an extension admits the page of a "main" world, by `externally_connectable.matches`. */
    isAdmitted: boolean;
    /** The tab that a devtools page is about. */
    inspectedTab: number | null;
    /** What this host carries out of what not every one does; without it, none of that. */
    offers?: ("notifications" | "tabs.captureVisibleTab")[];
}

/** What the polyfills are told besides. */
export interface PageWorld extends World {
    isWorker: boolean;
    /** What the document begins with, of a page of the extension. */
    html: string;
    isTop: boolean;
    /** The windows above, the nearest first; the URL where the origin is the document's own. */
    above: [origin: string, url: string | null][];
    /** Whether the document is a page of the extension. */
    isOwnDocument: boolean;
    isShown: boolean;
    userAgent: string;
    /** `performance.timeOrigin`. */
    timeOrigin: number;
    url: string;
    title: string;
}

/** What the API needs of the web platform: the engine's own, or the polyfills'. */
export interface Platform {
    /** Calls back after some milliseconds. */
    later(milliseconds: number, callback: () => void): void;
    /** `DOMException`, as it was before any script ran. */
    DOMException: new (message: string, name: string) => Error;
    /** Blobs in messages; without it they are refused as any other object of the platform. */
    blobs?: {
        isBlob(value: unknown): boolean;
        typeOf(blob: object): string;
        bytesOf(blob: object): Uint8Array;
        makeBlob(type: string, bytes: Uint8Array): object;
    };
}

/** How tasks reach a world. Each call is one task; the host runs a microtask checkpoint after it. */
export interface Deliver {
    /** A channel comes in. `senderJson` is `port.sender`. */
    connect(port: number, isOneOff: boolean, name: string, senderJson: string, isExternal: boolean): void;
    /** A message comes in: the value that its JSON text parses to. */
    message(port: number, value: unknown): void;
    /** A channel was ended elsewhere; the reason is the name of one of the core's, as "NoReceiver". */
    disconnect(port: number, reason: string): void;
    /** A call was answered: JSON, empty for undefined, or an error. */
    answer(number: number, json: string | undefined, error: string | undefined): void;
    /** The extension is no more: ports end, and from then on the API refuses every call. */
    invalidated(): void;
    /** An event of the browser, as "tabs.onRemoved"; its details are a JSON array. */
    emit(event: string, detailsJson: string): void;
}

/** The same of a world with polyfills. */
export interface PageDeliver extends Deliver {
    timer(number: number): void;
    /** A promise was rejected and nobody handles it; gives whether a listener of "unhandledrejection" took it. */
    rejected(reason: unknown, promise: Promise<unknown>): boolean;
    readyState(state: "interactive" | "complete"): void;
    frameLoaded(element: number): void;
    frameFailed(element: number): void;
    /** A message of another window: "parent", "top", the number of a frame element as text, or undefined. */
    frameMessage(json: string, origin: string, from: string | undefined): void;
    /** Clicks the first element that fits, and calls `pressed` if there is one. */
    press(selector: string): void;
    /** Types into the element that has the focus, key by key, and calls `pressed` if there is one. */
    type(text: string): void;
    beforeUnload(): void;
    leave(reason: "Cached" | "Navigated" | "Removed" | "Closed"): void;
    restored(): void;
    traversed(delta: number): void;
    windowMessage(json: string): void;
    /** Runs a function, given as text, and has `executed` called; the number has 53 bits. */
    execute(functionText: string, argumentsJson: string, number: number): void;
    /** Runs scripts, a JSON array of `{url, text}`, and answers with the value of the last, likewise. */
    inject(scriptsJson: string, number: number): void;
}

/** Makes an asynchronous method that `call` carries out: it checks arguments, takes a callback or gives a promise. */
export interface Calls {
    method(name: string, parameters: object[]): Function;
}

/** Creates the API of a world. Touches no globals, but for what the language is made of, at its start. */
export function createApi(native: Natives, world: World, platform: Platform): { api: object; chrome: object; deliver: Deliver; calls: Calls };

/** Creates what a page of the web has that an extension admits; of the natives it reaches `connectRuntime`, `postMessage` and `disconnect`. */
export function createPageApi(native: Natives, world: World, platform: Platform): { api: object; deliver: Deliver };

/** Puts the polyfills and the API among the globals of a world, before any script of the extension. */
export function install(native: PageNatives, world: PageWorld): { deliver: PageDeliver; calls: Calls };
