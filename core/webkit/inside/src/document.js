// Says what a document is and when it goes away, in a world of its own that no extension and no page has.
//
// Evaluated as a function of the native function of the document and its number, in each document before any script.
((native, number) => {
    "use strict";
    // The windows of the page's frames, in the top document alone: a window proxy is the same object for all documents
    // of a world, whatever their origins.
    const numbers = new WeakMap();
    const place = (window, frame, parent) => {
        numbers.set(window, frame);
        return numbers.get(parent) ?? 0;
    };
    globalThis.portCoreDocument = { document, number, place };
    // Before any listener of the page, which could keep the event from others.
    addEventListener("pagehide", ({ isTrusted, persisted }) => isTrusted && native(0, persisted), true);
    addEventListener("pageshow", ({ isTrusted, persisted }) => isTrusted && persisted && native(1), true);
    return JSON.stringify({ url: location.href, is_opaque: origin === "null" });
});
