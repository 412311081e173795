// What a native function refuses, as an error for the script that called.

import { NewError } from "./intrinsics.js";

/**
 * @param {object} profile the browser to follow
 * @param {string} refusal as host.d.ts lists them
 */
export function refused(profile, refusal) {
    switch (refusal) {
        case "Disconnected":
            return new NewError(profile.closedPort);
        case "TooLarge":
            return new NewError(profile.tooLarge);
        case "Unserializable":
            return profile.unserializable(new NewError("The message could not be cloned."));
        case "Gone":
            return new NewError("Extension context invalidated.");
        default:
            return new NewError(`The message was not sent: ${refusal}`);
    }
}
