// What parts of the API are called besides: names that manifests of version 2 still have in Chromium, and the windows of an
// extension's own pages.

/** Of pages of the extension. */
export function addOlderNames(api, world, { native, calls, emitted, profile }) {
    const { manifest } = world.extension;

    /** The window of the background page; null for none, and for a worker, which has no window. */
    function background() {
        const window = native.backgroundWindow?.() ?? null;
        if (window === null && manifest.background !== undefined) {
            native.console("warn", "not supported by this browser: the window of a background that is a worker, or does not run");
        }
        return window;
    }

    api.extension.getBackgroundPage = background;
    api.runtime.getBackgroundPage = calls.local("runtime.getBackgroundPage", background);
    if (manifest.manifest_version !== 2 || !profile.hasSurface) {
        return;
    }
    const { sendMessage, onMessage, onMessageExternal, connect, onConnect, onConnectExternal } = api.runtime;
    Object.assign(api.extension, { sendMessage, onMessage, onMessageExternal, connect, onConnect, onConnectExternal });
    Object.assign(api.extension, { sendRequest: sendMessage, onRequest: onMessage, onRequestExternal: onMessageExternal });
    const { tabs } = api;
    tabs.sendRequest = tabs.sendMessage;
    tabs.getSelected = calls.method("tabs.getSelected", [{ name: "windowId", type: "integer", optional: true }]);
    tabs.getAllInWindow = calls.method("tabs.getAllInWindow", [{ name: "windowId", type: "integer", optional: true }]);
    // As `onActivated`, with arguments of their own.
    for (const name of ["onActiveChanged", "onSelectionChanged"]) {
        tabs[name] = emitted("tabs.onActiveChanged");
    }
}

/** Of content scripts. */
export function addOlderNamesOfContentScripts(api, world, { profile }) {
    if (world.extension.manifest.manifest_version === 2 && profile.hasSurface) {
        const { sendMessage, onMessage, connect, onConnect } = api.runtime;
        Object.assign(api.extension, { sendMessage, onMessage, connect, onConnect, sendRequest: sendMessage, onRequest: onMessage });
    }
}
