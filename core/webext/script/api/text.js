// JSON for a host that has UTF-8 only.

import { charCodeAt, indexOf, slice, stringify } from "./intrinsics.js";

const BACKSLASH = 0x5c;

/** JSON in which half characters, which UTF-8 does not know, are replaced; undefined where there is none. */
export function wellFormedJson(value) {
    const json = stringify(value);
    // Whole characters stand in it as they are, so what is escaped is half of one.
    let at = json === undefined ? -1 : indexOf(json, "\\");
    if (at < 0) {
        return json;
    }
    let written = "";
    let copied = 0;
    while (at >= 0) {
        if (isHalf(json, at)) {
            written += slice(json, copied, at) + "\ufffd";
            copied = at + 6;
            at = indexOf(json, "\\", copied);
        } else {
            at = indexOf(json, "\\", at + 2);
        }
    }
    return written + slice(json, copied);
}

/** Whether `\ud8…` to `\udf…` stands at a place. */
function isHalf(json, at) {
    const digit = charCodeAt(json, at + 3);
    const isHigh = digit === 0x38 || digit === 0x39 || (digit >= 0x61 && digit <= 0x66);
    return charCodeAt(json, at) === BACKSLASH && charCodeAt(json, at + 1) === 0x75 && charCodeAt(json, at + 2) === 0x64 && isHigh;
}
