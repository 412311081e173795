// What a page of the web has of the extension API where an extension admits it: `runtime.connect` and `runtime.sendMessage`
// with the id of an extension (measured in Chromium; Firefox has no such pages).

import { createCodec } from "./clone.js";
import { createConnecting } from "./connecting.js";
import { createMap, defineProperty } from "./intrinsics.js";
import { createLastError } from "./last_error.js";
import { createOneOffMessages } from "./one_off.js";
import { createPorts } from "./port.js";
import { createProfile } from "./profile.js";
import { runtimeConstants } from "./surface.js";

/**
 * Creates the API of a page's own world. Nothing global is touched.
 *
 * @param {object} native functions of the host, see host.d.ts; of these a page reaches `connectRuntime` with an id,
 *   `postMessage` and `disconnect`
 * @param {object} world see host.d.ts
 * @param {object} platform see host.d.ts
 * @returns {{api: object, deliver: object}} what is `browser`, and among `chrome`; and how tasks reach it
 */
export function createApiOfPage(native, world, platform) {
    const profile = createProfile(world.profile, platform);
    const lastError = createLastError(native, profile);
    const channels = createMap();
    const codec = createCodec(native, profile, profile.clonesMessages, { globalName: "Window", ...platform });
    const messaging = { native, profile, lastError, codec, later: platform.later, channels, kind: world.kind };
    const tools = { native, profile, createPort: createPorts(messaging), oneOff: createOneOffMessages(messaging) };
    const reached = (extension, method) => {
        if (extension === undefined || extension === null || extension === "") {
            throw profile.extensionMissing(method);
        }
        return extension;
    };
    const { connect, sendMessage } = createConnecting(tools, reached);
    const runtime = { dynamicId: undefined, id: undefined, connect, sendMessage, ...runtimeConstants };
    // Chromium has it only while a callback runs.
    defineProperty(runtime, "lastError", { __proto__: null, get: () => lastError.get(), configurable: true });
    return {
        api: { runtime },
        deliver: {
            __proto__: null,
            // A page of the web takes no connection.
            connect(number) {
                native.disconnect(number);
            },
            message(number, message) {
                channels.get(number)?.message(message);
            },
            disconnect(number, reason) {
                // That the extension is no more leaves the page as it is.
                channels.get(number)?.disconnect(reason === "ExtensionUnloaded" ? "Disconnected" : reason);
            },
            answer() {},
            invalidated() {},
            emit() {},
        },
    };
}
