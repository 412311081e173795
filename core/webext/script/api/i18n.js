// `i18n`: the messages of `_locales`, which the browser has read.

import { NewPromise, isArray } from "./intrinsics.js";

/** @param {object} world see host.d.ts */
export function createI18n({ extension }) {
    const { id, messages } = extension;
    const known = {
        __proto__: null,
        "@@extension_id": id,
        "@@ui_locale": "en",
        "@@bidi_dir": "ltr",
        "@@bidi_reversed_dir": "rtl",
        "@@bidi_start_edge": "left",
        "@@bidi_end_edge": "right",
    };

    function getMessage(given, substitutions) {
        const name = String(given);
        const message = messages[name.toLowerCase()];
        if (message === undefined) {
            return known[name] ?? "";
        }
        const values = isArray(substitutions) ? substitutions : substitutions === undefined || substitutions === null ? [] : [substitutions];
        const placeholders = message.placeholders ?? {};
        const numbered = (text) => text.replace(/\$(\d)/g, (_, digit) => String(values[Number(digit) - 1] ?? ""));
        const named = message.message.replace(/\$\$|\$([\w@]+)\$/g, (whole, placeholder) =>
            whole === "$$" ? whole : (placeholders[placeholder.toLowerCase()]?.content ?? ""),
        );
        return numbered(named).replaceAll("$$", "$");
    }

    return {
        getMessage,
        getUILanguage: () => "en",
        getAcceptLanguages: (callback) => answer(["en"], callback),
        detectLanguage: (_, callback) => answer({ isReliable: false, languages: [] }, callback),
    };
}

/** An answer that is known at once, given later. */
function answer(value, callback) {
    const promise = new NewPromise((resolve) => resolve(value));
    if (typeof callback === "function") {
        promise.then(callback);
        return undefined;
    }
    return promise;
}
