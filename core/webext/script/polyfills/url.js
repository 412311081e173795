// `URL` and `URLSearchParams`, for reading.

/** @param {object} native `parseUrl(url, base)`: the parts of a URL, or undefined when it is none */
export function installUrl(native) {
    globalThis.URL = class URL {
        constructor(url, base) {
            const parsed = native.parseUrl(String(url), base === undefined ? undefined : String(base));
            if (parsed === undefined) {
                throw new TypeError(`Failed to construct 'URL': Invalid URL`);
            }
            partsOf.set(this, JSON.parse(parsed));
            this.#searchParams = new URLSearchParams(this.search);
        }

        #searchParams;

        get searchParams() {
            return this.#searchParams;
        }

        get [Symbol.toStringTag]() {
            return "URL";
        }

        static canParse(url, base) {
            return native.parseUrl(String(url), base === undefined ? undefined : String(base)) !== undefined;
        }

        toString() {
            return this.href;
        }

        toJSON() {
            return this.href;
        }
    };
    for (const part of parts) {
        const get = function get() {
            return partsOf.get(this)[part];
        };
        Object.defineProperty(URL.prototype, part, { get, enumerable: true, configurable: true });
    }
    globalThis.URLSearchParams = URLSearchParams;
}

const partsOf = new WeakMap();
const parts = [
    "href",
    "origin",
    "protocol",
    "username",
    "password",
    "host",
    "hostname",
    "port",
    "pathname",
    "search",
    "hash",
];

class URLSearchParams {
    #pairs;

    constructor(init = "") {
        if (typeof init === "string") {
            const query = init.replace(/^\?/, "");
            const pairs = query === "" ? [] : query.split("&").filter((pair) => pair !== "");
            this.#pairs = pairs.map((pair) => {
                const [name, ...value] = pair.split("=");
                return [decode(name), decode(value.join("="))];
            });
        } else {
            const pairs = typeof init[Symbol.iterator] === "function" ? [...init] : Object.entries(init);
            this.#pairs = pairs.map(([name, value]) => [String(name), String(value)]);
        }
    }

    append(name, value) {
        this.#pairs.push([String(name), String(value)]);
    }

    delete(name) {
        this.#pairs = this.#pairs.filter(([other]) => other !== name);
    }

    get(name) {
        return this.#pairs.find(([other]) => other === name)?.[1] ?? null;
    }

    getAll(name) {
        return this.#pairs.filter(([other]) => other === name).map(([, value]) => value);
    }

    has(name) {
        return this.#pairs.some(([other]) => other === name);
    }

    set(name, value) {
        const first = this.#pairs.find(([other]) => other === name);
        if (first === undefined) {
            this.append(name, value);
        } else {
            first[1] = String(value);
            this.#pairs = this.#pairs.filter((pair) => pair === first || pair[0] !== name);
        }
    }

    forEach(callback) {
        this.#pairs.forEach(([name, value]) => callback(value, name, this));
    }

    *entries() {
        yield* this.#pairs.map(([name, value]) => [name, value]);
    }

    *keys() {
        yield* this.#pairs.map(([name]) => name);
    }

    *values() {
        yield* this.#pairs.map(([, value]) => value);
    }

    [Symbol.iterator]() {
        return this.entries();
    }

    toString() {
        return this.#pairs.map((pair) => pair.map(encode).join("=")).join("&");
    }
}

function decode(text) {
    const spaced = text.replaceAll("+", " ");
    try {
        return decodeURIComponent(spaced);
    } catch {
        return spaced;
    }
}

function encode(text) {
    return encodeURIComponent(text).replaceAll("%20", "+");
}
