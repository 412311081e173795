// Counts messages, answers connections, and makes round trips to the background.
const sorted = (list) => list.sort((one, other) => one - other);

const trip = (port) => new Promise((go) => { port.answered = go; port.postMessage(TEXT); });

const trips = async (count) => {
    const port = browser.runtime.connect({ name: "echo" });
    port.onMessage.addListener(() => port.answered());
    for (let index = 0; index < 1_000; index += 1) {
        await trip(port);
    }
    const times = [];
    const start = performance.now();
    for (let index = 0; index < count; index += 1) {
        const before = performance.now();
        await trip(port);
        times.push((performance.now() - before) * 1_000);
    }
    const mean = (performance.now() - start) * 1_000 / count;
    port.disconnect();
    const order = sorted(times);
    return { p50: order[count >> 1], p99: order[Math.floor(count * 0.99)], mean, isExact: crossOriginIsolated };
};

// How many round trips went in each tenth of a second.
const tenths = async (seconds) => {
    const port = browser.runtime.connect({ name: "echo" });
    port.onMessage.addListener(() => port.answered());
    const counts = new Array(seconds * 10).fill(0);
    const start = performance.now();
    for (;;) {
        await trip(port);
        const tenth = Math.floor((performance.now() - start) / 100);
        if (tenth >= counts.length) {
            port.disconnect();
            return counts;
        }
        counts[tenth] += 1;
    }
};

browser.runtime.onConnect.addListener((port) => {
    if (port.name === "answer") {
        port.postMessage("here");
    } else if (port.name === "count") {
        port.onMessage.addListener((message) => message === "end" && port.postMessage("counted"));
    } else if (port.name === "trips" && window === top) {
        port.onMessage.addListener(async ({ trips: count, seconds }) => {
            port.postMessage(count === undefined ? await tenths(seconds) : await trips(count));
        });
    }
});

addEventListener("load", () => browser.runtime.sendMessage("here"));
