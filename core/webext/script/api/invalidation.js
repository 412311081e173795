// What a content script sees of the API once its extension is no more (measured in Chromium).

import { NewError, after, keys, mapForEach } from "./intrinsics.js";

const REFUSED = ["connect", "sendMessage", "getURL", "getManifest"];

/**
 * Ends what is open, then has the API refuse every call.
 *
 * @param {object} api
 * @param {object} chrome the same namespaces in another object
 * @param {Map<number, object>} channels the open channels, by number
 */
export function invalidate(api, chrome, channels) {
    // Answers are lost before ports end.
    const open = [[], []];
    mapForEach(channels, (channel) => open[channel.isOneOff ? 0 : 1].push(channel));
    open[0].forEach((channel) => channel.lose());
    after(undefined, () => {
        open[1].forEach((channel) => channel.disconnect("ExtensionUnloaded"));
        refuseAll(api);
        refuseAll(chrome);
    });
}

function refuseAll(api) {
    const refuse = () => {
        throw new NewError("Extension context invalidated.");
    };
    for (let index = 0; index < REFUSED.length; index += 1) {
        api.runtime[REFUSED[index]] = refuse;
    }
    api.runtime.id = undefined;
    const names = keys(api);
    for (let index = 0; index < names.length; index += 1) {
        if (names[index] !== "runtime") {
            api[names[index]] = undefined;
        }
    }
}
