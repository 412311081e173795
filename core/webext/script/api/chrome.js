// `chrome`, beside `browser`: which browser has it where, and how the two differ.

import { after, apply, defineProperties, getOwnPropertyDescriptors, hasOwn, isPromise, keys } from "./intrinsics.js";

/** What a page's own `chrome` has in Chromium, and content scripts find beside the extension API. */
const ofPages = () => ({ loadTimes: () => ({}), csi: () => ({}) });

/**
 * Makes what is to be the global `chrome` of a world.
 *
 * @param {object} profile the browser to follow
 * @param {object} world see host.d.ts
 * @param {object} [api] what is to be the global `browser`; undefined in a page's own world that has none
 * @returns {object | undefined} undefined where there is none
 */
export function createChrome(profile, world, api) {
    if (profile.hasSurface) {
        if (world.kind === "main") {
            return { ...ofPages(), app: {}, ...api };
        }
        // Another object, with the same namespaces.
        const chrome = defineProperties({}, getOwnPropertyDescriptors(api));
        return world.kind === "content-script" ? defineProperties(chrome, getOwnPropertyDescriptors(ofPages())) : chrome;
    }
    if (api === undefined || world.extension.manifest.manifest_version !== 2) {
        return api;
    }
    return withoutPromises(api);
}

/** The same API with other functions, none of which gives a promise: what fails without a callback does so silently. */
function withoutPromises(object) {
    const descriptors = getOwnPropertyDescriptors(object);
    const names = keys(descriptors);
    if (names.length === 0) {
        // A namespace that is absent makes its members when they are asked for.
        return object;
    }
    for (let index = 0; index < names.length; index += 1) {
        const descriptor = descriptors[names[index]];
        if (!hasOwn(descriptor, "value")) {
            continue;
        }
        const { value } = descriptor;
        if (typeof value === "function") {
            descriptor.value = (...given) => {
                const result = apply(value, object, given);
                if (!isPromise(result)) {
                    return result;
                }
                after(result, undefined, () => {});
                return undefined;
            };
        } else if (typeof value === "object" && value !== null) {
            descriptor.value = withoutPromises(value);
        }
    }
    return defineProperties({}, descriptors);
}
