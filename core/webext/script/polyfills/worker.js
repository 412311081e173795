// What a service worker has besides.

/** What a service worker's global object has as properties of its own. */
export function addWorkerGlobals() {
    const handlers = [
        "abortpayment",
        "activate",
        "backgroundfetchabort",
        "backgroundfetchclick",
        "backgroundfetchfail",
        "backgroundfetchsuccess",
        "canmakepayment",
        "cookiechange",
        "fetch",
        "install",
        "message",
        "messageerror",
        "notificationclick",
        "notificationclose",
        "paymentrequest",
        "periodicsync",
        "push",
        "pushsubscriptionchange",
        "sync",
    ];
    for (const name of ["clients", "cookieStore", "registration", "serviceWorker"]) {
        globalThis[name] = {};
    }
    // Pages are no clients of a worker here.
    globalThis.clients.matchAll = async () => [];
    globalThis.clients.claim = async () => undefined;
    globalThis.skipWaiting = async () => undefined;
    for (const name of handlers) {
        globalThis[`on${name}`] = null;
    }
}
