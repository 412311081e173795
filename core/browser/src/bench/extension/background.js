// Asks the questions. A click is one sample; its answers are written to the console
// as JSON. Nothing here is particular to this browser.

const TURNS = { round_trip: 2000, one_way: 10000, large: 400, connect: 1000, fan_out: 1000, idle: 5000 };

// With the braces and the number, 100 bytes of JSON.
const message = (number) => ({
    type: "message",
    number: 100000 + number,
    from: "background",
    text: "a text of a usual width",
    last: false,
});

browser.action.onClicked.addListener(async ({ url }) => {
    const one = await tabAt("https://bench.example.com/one");
    if (url.endsWith("#memory")) {
        await idle(one);
        return;
    }
    const ten = await tabAt("https://bench.example.com/ten");
    const round_trip_us = await asked("round_trip", TURNS.round_trip, () => roundTrip(one));
    const one_way_per_second = await asked("one_way", TURNS.one_way, () => oneWay(one));
    const large_megabytes_per_second = await asked("large", TURNS.large, () => large(one));
    const connects_per_second = await asked("connect", TURNS.connect, () => connects(one));
    const fan_out_per_second = await asked("fan_out", TURNS.fan_out * 10, () => fanOut(ten, 10));
    tell({ round_trip_us, one_way_per_second, large_megabytes_per_second, connects_per_second, fan_out_per_second });
});

/** Asks a question; the browser looks at its processor time before and behind. */
async function asked(question, units, ask) {
    tell({ question, units: 0 });
    const answer = await ask();
    tell({ question, units });
    return answer;
}

function tell(answer) {
    console.log(JSON.stringify(answer));
}

async function tabAt(url) {
    const tabs = await browser.tabs.query({});
    return tabs.find((tab) => tab.url.startsWith(url)).id;
}

/** Posts and waits for the answer, again and again; microseconds. */
function roundTrip(tab) {
    const port = browser.tabs.connect(tab, { name: "echo" });
    const times = [];
    // The first ones find everything cold.
    let left = TURNS.round_trip + 100;
    let posted;
    const post = () => {
        posted = performance.now();
        port.postMessage(message(left));
    };
    return new Promise((resolve) => {
        port.onMessage.addListener(() => {
            times.push((performance.now() - posted) * 1000);
            left -= 1;
            if (left > 0) {
                post();
                return;
            }
            port.disconnect();
            const sorted = times.slice(100).sort((a, b) => a - b);
            const at = (share) => sorted[Math.floor(sorted.length * share)];
            resolve({ mean: sorted.reduce((sum, time) => sum + time) / sorted.length, p50: at(0.5), p99: at(0.99) });
        });
        post();
    });
}

/** Posts without waiting; the receiver answers the last message. */
async function oneWay(tab) {
    const seconds = await deluge(tab, 1, TURNS.one_way, message);
    return TURNS.one_way / seconds;
}

/** The same with long texts; megabytes. */
async function large(tab) {
    const text = "x".repeat(65536);
    const seconds = await deluge(tab, 1, TURNS.large, () => ({ text, last: false }));
    return (TURNS.large * text.length) / seconds / 1e6;
}

/** The same with several receivers, each of which answers; events they had together. */
async function fanOut(tab, receivers) {
    const seconds = await deluge(tab, receivers, TURNS.fan_out, message);
    return (TURNS.fan_out * receivers) / seconds;
}

function deluge(tab, receivers, count, make) {
    const port = browser.tabs.connect(tab, { name: "sink" });
    return new Promise((resolve) => {
        let started;
        let waiting = receivers;
        port.onMessage.addListener((said) => {
            if (said.ready && (waiting -= 1) === 0) {
                waiting = receivers;
                started = performance.now();
                for (let number = 1; number < count; number += 1) {
                    port.postMessage(make(number));
                }
                port.postMessage({ ...make(count), last: true });
            } else if (said.heard === count && (waiting -= 1) === 0) {
                resolve((performance.now() - started) / 1000);
                port.disconnect();
            }
        });
    });
}

/** Connects, waits for a word, disconnects, again and again. */
function connects(tab) {
    return new Promise((resolve) => {
        const started = performance.now();
        let left = TURNS.connect;
        const connect = () => {
            const port = browser.tabs.connect(tab, { name: "hello" });
            port.onMessage.addListener(() => {
                port.disconnect();
                left -= 1;
                if (left > 0) {
                    connect();
                } else {
                    resolve(TURNS.connect / ((performance.now() - started) / 1000));
                }
            });
        };
        connect();
    });
}

// Kept, or they would not be idle but gone.
const kept = [];

/** Opens ports that do nothing; the browser looks at its memory before and behind. */
function idle(tab) {
    return new Promise((resolve) => {
        // Some to warm up with, so that what all ports share is there.
        const open = (count, then) => {
            let left = count;
            for (let number = 0; number < count; number += 1) {
                const port = browser.tabs.connect(tab, { name: "idle" });
                kept.push(port);
                port.onMessage.addListener(() => {
                    left -= 1;
                    if (left === 0) {
                        then();
                    }
                });
            }
        };
        open(100, () => {
            tell({ memory: "before", ports: 0 });
            open(TURNS.idle, () => {
                tell({ memory: "after", ports: TURNS.idle });
                resolve();
            });
        });
    });
}
