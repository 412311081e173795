// Answers the round trips of content scripts, and measures the rest. `base.js` has SITE and TEXT, of 100 bytes.
const turn = (() => {
    const { port1, port2 } = new MessageChannel();
    const waiting = [];
    port1.onmessage = () => waiting.shift()();
    return () => new Promise((go) => { waiting.push(go); port2.postMessage(0); });
})();
const next = (port) => new Promise((go) => {
    const heard = (message) => { port.onMessage.removeListener(heard); go(message); };
    port.onMessage.addListener(heard);
});
const report = (name, value) => fetch(`${SITE}/report`, { method: "POST", mode: "no-cors", body: `${name} ${value}` });
const best = async (measured) => Math.max(await measured(), await measured(), await measured());

// Opens a page and waits until all its frames have said that they are there.
let hello;
browser.runtime.onMessage.addListener((message, { tab }) => hello(tab.id));
const open = (path, frames = 1) => new Promise((go) => {
    let count = 0;
    hello = (tab) => (count += 1) === frames && go(tab);
    browser.tabs.create({ url: SITE + path });
});

browser.runtime.onConnect.addListener((port) => {
    port.onMessage.addListener((message) => port.postMessage(message));
});

// So many messages, so many in each turn, and a last one that ends them.
const postInTurns = async (port, count, inTurn) => {
    for (let sent = 0; sent < count; sent += inTurn) {
        for (let index = 0; index < inTurn; index += 1) {
            port.postMessage(TEXT);
        }
        await turn();
    }
    port.postMessage("end");
};

const oneWay = (tab) => best(async () => {
    const port = browser.tabs.connect(tab, { name: "count" });
    const count = 100_000;
    const done = next(port);
    const start = performance.now();
    await postInTurns(port, count, 1_000);
    await done;
    const rate = count / (performance.now() - start) * 1_000;
    port.disconnect();
    return rate;
});

const connects = (tab) => best(async () => {
    const count = 5_000;
    let left = count;
    const start = performance.now();
    const one = async () => {
        while (left > 0) {
            left -= 1;
            const port = browser.tabs.connect(tab, { name: "answer" });
            await next(port);
            port.disconnect();
        }
    };
    await Promise.all(Array.from({ length: 32 }, one));
    return count / (performance.now() - start) * 1_000;
});

const fanOut = (tab) => best(async () => {
    const port = browser.tabs.connect(tab, { name: "count" });
    const count = 5_000;
    const frames = 10;
    let done = 0;
    const all = new Promise((go) => port.onMessage.addListener(() => (done += 1) === frames && go()));
    const start = performance.now();
    await postInTurns(port, count, 100);
    await all;
    const rate = count * frames / (performance.now() - start) * 1_000;
    port.disconnect();
    return rate;
});

// Ports are opened once the test has looked at the memory, and kept while it looks again.
const idle = [];
const openIdle = async (tab, count) => {
    for (let index = 0; index < count; index += 100) {
        const some = Array.from({ length: 100 }, () => browser.tabs.connect(tab, { name: "answer" }));
        await Promise.all(some.map(next));
        idle.push(...some);
    }
};

const wait = () => fetch(`${SITE}/wait`, { mode: "no-cors" });

(async () => {
    // First, while there is no garbage whose room would be used again. Fewer than one context may hold.
    const plain = await open("/plain");
    await openIdle(plain, 2_000);
    await report("warm", idle.length);
    await wait();
    await openIdle(plain, 12_000);
    await report("idle", 12_000);
    idle.splice(0).forEach((port) => port.disconnect());

    const isolated = await open("/isolated");
    const trips = browser.tabs.connect(isolated, { name: "trips" });
    const first = next(trips);
    trips.postMessage({ trips: 20_000 });
    const { p50, p99, mean, isExact } = await first;
    await report("trips", JSON.stringify({ p50, p99, mean, isExact }));

    const blocked = next(trips);
    trips.postMessage({ seconds: 3 });
    await report("running", "");
    await report("blocked", JSON.stringify(await blocked));
    trips.disconnect();

    await report("one way", await oneWay(plain));
    await report("connects", await connects(plain));
    await report("fan-out", await fanOut(await open("/frames", 10)));
})().catch((error) => report("failed", `${error} ${error.stack}`));
