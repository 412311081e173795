// `TextEncoder` and `TextDecoder`, for UTF-8; `btoa` and `atob`.

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Each character a byte, in base 64. */
function btoa(text) {
    const bytes = Array.from(String(text), (character) => character.charCodeAt(0));
    let encoded = "";
    for (let at = 0; at < bytes.length; at += 3) {
        const [first, second = 0, third = 0] = bytes.slice(at, at + 3);
        const bits = (first << 16) | (second << 8) | third;
        const written = [18, 12, 6, 0].map((shift) => digits[(bits >> shift) & 63]).join("");
        encoded += written.slice(0, Math.min(3, bytes.length - at) + 1).padEnd(4, "=");
    }
    return encoded;
}

function atob(encoded) {
    const text = String(encoded).replace(/=+$/, "");
    let decoded = "";
    for (let at = 0; at < text.length; at += 4) {
        const part = text.slice(at, at + 4);
        const bits = Array.from(part.padEnd(4, "A")).reduce((bits, digit) => bits * 64 + digits.indexOf(digit), 0);
        const bytes = [16, 8, 0].map((shift) => String.fromCharCode((bits >> shift) & 255)).join("");
        decoded += bytes.slice(0, part.length - 1);
    }
    return decoded;
}

export function installEncoding() {
    globalThis.btoa = btoa;
    globalThis.atob = atob;
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
