// Opens, navigates, closes and connects to tabs at random until END, then leaves nothing but the first tab.
// `base.js` has PORT and END.
const wait = (milliseconds) => new Promise((go) => setTimeout(go, milliseconds));
const report = (text) => fetch(`http://127.0.0.1:${PORT}/report`, { method: "POST", mode: "no-cors", body: text });
const any = (list) => list[Math.floor(Math.random() * list.length)];
const address = () => `http://${any(["127.0.0.1", "localhost"])}:${PORT}/${any(["one", "two", "frames"])}`;
const counts = { messages: 0, steps: 0 };
const start = Date.now();

// What comes on a port is numbered: nothing may be lost, doubled or out of order.
const check = (port) => {
    let latest = 0;
    port.onMessage.addListener(({ number }) => {
        counts.messages += 1;
        if (number !== latest + 1) {
            console.log(`wrong: ${number} after ${latest} from ${port.sender?.url}`);
        }
        latest = number;
    });
};
browser.runtime.onConnect.addListener((port) => {
    check(port);
    for (let number = 1; number <= 20; number += 1) {
        port.postMessage({ number });
    }
});
browser.runtime.onMessage.addListener((message, sender, answer) => answer(message));

const steps = [
    () => browser.tabs.create({ url: address() }),
    (tab) => browser.tabs.update(tab.id, { url: address() }),
    (tab) => browser.tabs.update(tab.id, { url: address() }),
    (tab) => browser.tabs.update(tab.id, { url: address(), active: true }),
    (tab) => browser.tabs.goBack(tab.id),
    (tab) => browser.tabs.goBack(tab.id),
    (tab) => browser.tabs.goForward(tab.id),
    (tab) => browser.tabs.reload(tab.id),
    (tab) => browser.tabs.remove(tab.id),
    (tab) => {
        const port = browser.tabs.connect(tab.id);
        // Of each frame.
        port.onMessage.addListener(() => (counts.messages += 1));
        for (let number = 1; number <= 50; number += 1) {
            port.postMessage({ number });
        }
        setTimeout(() => port.disconnect(), Math.random() * 1_000);
    },
    (tab) => browser.tabs.sendMessage(tab.id, "hello"),
];

// How many messages came and steps were taken since it was last said.
const say = async () => {
    const said = `${counts.messages} ${counts.steps}`;
    counts.messages = 0;
    counts.steps = 0;
    await report(said);
};
const others = async () => (await browser.tabs.query({})).filter((tab) => tab.index > 0);

(async () => {
    while (Date.now() < END) {
        counts.steps += 1;
        const tabs = await others();
        const step = tabs.length < 2 ? steps[0] : any(steps);
        if (tabs.length > 6) {
            await browser.tabs.remove(any(tabs).id).catch(() => {});
        }
        try {
            // A tab whose page never answers must not end the soak.
            await Promise.race([step(any(tabs)), wait(1_000)]);
        } catch {
            // The tab is gone, has no history, or nobody listens there.
        }
        await wait(Math.random() * 100);
        if (counts.steps === 50) {
            await say();
        }
        if (Date.now() - start > 5_000 && Math.random() < 0.02) {
            await say();
            browser.runtime.reload();
            return;
        }
    }
    for (const tab of await others()) {
        await browser.tabs.remove(tab.id);
    }
    // Its process may have been killed.
    await browser.tabs.reload((await browser.tabs.query({ index: 0 }))[0].id);
    await say();
    // Everything still works.
    const tab = await browser.tabs.create({ url: `http://127.0.0.1:${PORT}/one` });
    while ((await browser.tabs.sendMessage(tab.id, "are you there?").catch(() => undefined)) !== "are you there?") {
        await wait(50);
    }
    await browser.tabs.remove(tab.id);
    await report("stopped");
})().catch((error) => report(`failed ${error} ${error.stack}`));
