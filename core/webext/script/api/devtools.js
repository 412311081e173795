// `devtools`, in the pages of developer tools: the page that the manifest names for that, and its panels.

import { NewPromise, stringify } from "./intrinsics.js";

/**
 * @param {object} world see host.d.ts
 * @param {{emitted: Function, calls: object}} tools see api.js
 */
export function createDevtools(world, { emitted, calls, native }) {
    const text = (name) => ({ name, type: "string" });
    const openPanel = calls.method("devtools.createPanel", [text("path")]);
    const evaluate = calls.method("devtools.eval", [text("expression")]);
    const event = (name) => emitted(`devtools.${name}`);
    const report = (listener, ...given) => {
        try {
            listener(...given);
        } catch (error) {
            native.reportException(error);
        }
    };
    let latest = 0;

    /** A panel: its page opens at once, for nobody looks for it. */
    function create(title, icon, path, callback) {
        latest += 1;
        const panel = {
            onShown: event(`panel${latest}.onShown`),
            onHidden: event(`panel${latest}.onHidden`),
            onSearch: event(`panel${latest}.onSearch`),
            createStatusBarButton: () => ({ onClicked: event(`panel${latest}.onClicked`), update() {} }),
            show() {},
            // Of a sidebar.
            setPage: (page) => openPanel(page),
            setObject() {},
            setExpression() {},
        };
        const opened = path === undefined ? new NewPromise((resolve) => resolve()) : openPanel(path);
        const made = opened.then(() => panel);
        if (typeof callback === "function") {
            made.then((panel) => report(callback, panel), native.reportException);
            return undefined;
        }
        return made;
    }

    /** Evaluates in the inspected page: gives the value, and what went wrong. */
    function evaluateThere(expression, ...rest) {
        const callback = rest.find((value) => typeof value === "function");
        const isLocal = world.profile === "firefox";
        const told = (error) => (isLocal ? { isException: true, value: error.message } : { isError: false, isException: true, value: error.message });
        const result = evaluate(`(0, eval)(${stringify(String(expression))})`).then(
            (values) => [values?.[0], undefined],
            (error) => [undefined, told(error)],
        );
        if (callback !== undefined) {
            result.then((both) => report(callback, both[0], both[1]));
            return undefined;
        }
        return result;
    }

    return {
        inspectedWindow: { tabId: world.inspectedTab, reload() {}, eval: evaluateThere },
        network: { onNavigated: event("network.onNavigated"), onRequestFinished: event("network.onRequestFinished") },
        panels: {
            themeName: "default",
            onThemeChanged: event("panels.onThemeChanged"),
            elements: { onSelectionChanged: event("panels.elements.onSelectionChanged"), createSidebarPane: (title, callback) => create(title, "", undefined, callback) },
            sources: { onSelectionChanged: event("panels.sources.onSelectionChanged") },
            create,
        },
    };
}
