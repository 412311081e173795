// How messages are written down: as JSON (Chromium), or so that the common types of a
// structured clone survive (Firefox, and Chromium's manifest key
// `"message_serialization": "structured_clone"`). Both are JSON texts on the way.
//
// A structured clone is `{v, o}`: the value, and the objects in it. A plain value stands
// for itself, anything else is an array of a letter and what belongs to it: `["o", 3]` is
// the fourth of the objects, each of which is again such an array. So an object that is
// met twice, or within itself, is written once.
//
// A message of which JSON says everything, as of most, is `{j}`, the value itself.

import { NewError, hasOwn, stringify } from "./intrinsics.js";
import { decodeClone } from "./clone_reader.js";
import { encodeClone } from "./clone_writer.js";

/**
 * @param {object} native `isProxy`, `postMessage`, and where the engine's glue has them `postJson`, `postTree`
 * @param {object} profile the browser to follow
 * @param {boolean} clones whether messages are structured clones
 * @param {object} platform `globalName`: what the engine calls the global object; `blobs`: see host.d.ts
 * @returns {{encode: (value: any) => string, post: (number: number, value: any) => string | undefined,
 *   decode: (parsed: any) => any}} `decode` takes what the text parses to; `post` encodes and
 *   posts, and gives why not
 */
export function createCodec(native, profile, clones, platform) {
    const { postMessage, isProxy = () => false, postJson, postTree } = native;
    if (clones) {
        const tools = { __proto__: null, isProxy, profile, ...platform };
        const encode = (value) => encodeClone(tools, value);
        const post = (number, value) => {
            const refusal = postTree(number, value);
            return refusal === "NoTree" ? postMessage(number, encode(value)) : refusal;
        };
        const postSlowly = (number, value) => postMessage(number, encode(value));
        const decode = (parsed) => (hasOwn(parsed, "j") ? parsed.j : decodeClone(tools, parsed));
        return { __proto__: null, encode, post: postTree === undefined ? postSlowly : post, decode };
    }
    const postSlowly = (number, value) => postMessage(number, encodeJson(value));
    return { __proto__: null, encode: encodeJson, post: postJson ?? postSlowly, decode: (parsed) => parsed };

    function encodeJson(value) {
        let json;
        try {
            // As a whole message, undefined becomes null.
            json = stringify(value === undefined ? null : value);
        } catch (error) {
            throw profile.unserializable(error);
        }
        if (json === undefined) {
            // A function, a symbol, or a toJSON() that gives undefined.
            throw profile.unserializable(new NewError("The message could not be cloned."));
        }
        return json;
    }
}
