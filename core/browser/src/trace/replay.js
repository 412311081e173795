// What the functions around a scenario need and extensions do not have; they take it away.

/**
 * @param {(json: string) => void} record
 * @param {object} calls see calls.js
 * @returns {object} what `globalThis.replay` is while the functions around a scenario are set up
 */
(function createReplay(record, calls) {
    return {
        record,
        scenario: calls.method("replay.scenario", []),
        expect: calls.method("replay.expect", []),
        ready: calls.method("replay.ready", [{ name: "context", type: "string" }]),
        waitReady: calls.method("replay.waitReady", [{ name: "contexts", type: "integer" }]),
        rest: calls.method("replay.rest", []),
        done: calls.method("replay.done", [{ name: "report", type: "string" }]),
    };
})
