// `devtools`, in the page of an extension that its manifest names for that: the inspected
// tab is the one that was active when the page was opened.

import { NewPromise } from "./intrinsics.js";

/**
 * @param {object} world see main.js
 * @param {{emitted: Function}} tools see api.js
 */
export function createDevtools(world, { emitted }) {
    const event = (name) => emitted(`devtools.${name}`);
    return {
        inspectedWindow: { tabId: world.inspectedTab, reload() {} },
        network: { onNavigated: event("network.onNavigated"), onRequestFinished: event("network.onRequestFinished") },
        panels: {
            themeName: "default",
            create: () => {
                const panel = {
                    onShown: event("panels.onShown"),
                    onHidden: event("panels.onHidden"),
                    onSearch: event("panels.onSearch"),
                };
                return new NewPromise((resolve) => resolve(panel));
            },
        },
    };
}
