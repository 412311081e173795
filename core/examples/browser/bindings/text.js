// `TextEncoder` and `TextDecoder`, for UTF-8; and texts for who has UTF-8 only.

// Scripts may replace the global functions later.
const { stringify } = JSON;

/** JSON for the browser process: half characters, which UTF-8 does not know, are replaced. */
export function wellFormedJson(value) {
    // Whole characters stand in it as they are, so what is escaped is half of one.
    return stringify(value)?.replace(/(\\\\)|\\ud[89a-f][0-9a-f]{2}/g, (_, backslash) => backslash ?? "\ufffd");
}

export function installText() {
    globalThis.TextEncoder = class TextEncoder {
        encoding = "utf-8";

        encode(text = "") {
            const escaped = encodeURIComponent(String(text).toWellFormed());
            const bytes = [];
            for (let index = 0; index < escaped.length; index += 1) {
                if (escaped[index] === "%") {
                    bytes.push(Number.parseInt(escaped.slice(index + 1, index + 3), 16));
                    index += 2;
                } else {
                    bytes.push(escaped.charCodeAt(index));
                }
            }
            return Uint8Array.from(bytes);
        }
    };
    globalThis.TextDecoder = class TextDecoder {
        encoding = "utf-8";

        decode(bytes = new Uint8Array()) {
            const view = ArrayBuffer.isView(bytes)
                ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
                : new Uint8Array(bytes);
            const escaped = Array.from(view, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
            return decodeURIComponent(escaped);
        }
    };
}
