// Makes the file of a trace: events in order of time, ids replaced by placeholders.
//
// In script, for texts in events may hold halves of surrogate pairs.

/**
 * @param {{scenario: string, browser: string, base: string, host: string, run: string}} about
 * @param {string[]} recorded JSON arrays of events
 * @param {string | null} reportJson what the scenario said at its end
 * @param {string | null} failure why it has no end
 * @returns {string} the file
 */
(function finish(about, recorded, reportJson, failure) {
    const report = reportJson === null ? { map: [] } : JSON.parse(reportJson);
    let events = [];
    for (const text of recorded) {
        const recorded = JSON.parse(text);
        // What the sleeper did before the scenario had it rest does not count.
        events = recorded === "rested" ? events.filter(({ ctx }) => ctx !== "sleeper") : [...events, ...recorded];
    }
    events.sort((a, b) => a.t - b.t || (a.ctx === b.ctx ? a.n - b.n : 0));
    const replace = createPlaceholders(about, report);
    const first = events[0]?.t ?? 0;
    const error = failure ?? report.error;
    const run = {
        when: new Date().toISOString(),
        error: error === undefined ? undefined : String(error).replaceAll(about.run, "<RUN>"),
        skipped: report.skipped,
        result: report.result,
        events: events.map(({ t, n, ...event }) => ({ ms: Number((t - first).toFixed(2)), n, ...replace(event) })),
    };
    return JSON.stringify({ scenario: about.scenario, browser: about.browser, mv: 3, runs: [run] }, null, 1);

    function createPlaceholders({ base, host, run }, { id, base: extensionBase = "", map }) {
        const texts = [
            [extensionBase.replace(/\/$/, ""), "<EXTBASE>"],
            [about.sleeper ?? undefined, "<SLEEPER>"],
            [id, "<EXT>"],
            [base, "<BASE>"],
            [host, "<HOST>"],
            [run, "<RUN>"],
            [/[0-9a-f]{8}-[0-9a-f-]{27}/.exec(extensionBase)?.[0], "<UUID>"],
        ];
        const tabs = new Map();
        const frames = new Map();
        const documents = new Map();
        map.forEach(({ tabId, frames: inTab }, number) => {
            tabs.set(tabId, `<tab${number || ""}>`);
            for (const [name, { frameId, documentId }] of Object.entries(inTab)) {
                if (frameId) {
                    frames.set(frameId, `<frame ${name}>`);
                }
                if (documentId && !documents.has(documentId)) {
                    documents.set(documentId, `<doc ${name}${number ? ` #${number}` : ""}>`);
                }
            }
        });
        texts.push(...documents);
        for (const [tab, name] of tabs) {
            texts.push([`tab ${tab}`, `tab ${name}`], [`: ${tab}.`, `: ${name}.`]);
        }
        for (const [frame, name] of frames) {
            texts.push([String(frame), name]);
        }
        const known = texts.filter(([text]) => text !== undefined && text !== "");

        const inText = (text) => known.reduce((text, [known, name]) => text.replaceAll(known, () => name), text);
        const inNumber = (value, key) => (/tab|value|id/i.test(key) ? tabs.get(value) : undefined) ?? frames.get(value) ?? value;

        return function replace(value, key = "") {
            switch (typeof value) {
                case "string":
                    return inText(value);
                case "number":
                    return inNumber(value, key);
                case "object":
                    break;
                default:
                    return value;
            }
            if (value === null) {
                return null;
            }
            if (Array.isArray(value)) {
                return value.map((item) => replace(item, key));
            }
            // A definition: the key may be `__proto__`.
            const replaced = {};
            for (const [name, inner] of Object.entries(value)) {
                Object.defineProperty(replaced, name, {
                    value: replace(inner, name),
                    writable: true,
                    enumerable: true,
                    configurable: true,
                });
            }
            return replaced;
        };
    }
})
