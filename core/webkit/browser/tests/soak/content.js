// Talks to the background all the time, and hears what comes.
const check = (port) => {
    let latest = 0;
    port.onMessage.addListener(({ number }) => {
        if (number !== latest + 1) {
            console.error(`wrong: ${number} after ${latest} in ${location.href}`);
        }
        latest = number;
    });
};
const talk = () => {
    const port = browser.runtime.connect();
    let number = 0;
    check(port);
    const timer = setInterval(() => {
        for (let count = 0; count < 5; count += 1) {
            number += 1;
            port.postMessage({ number });
        }
    }, 50);
    port.onDisconnect.addListener(() => clearInterval(timer));
};
browser.runtime.onConnect.addListener((port) => {
    check(port);
    port.postMessage({ number: 1 });
});
browser.runtime.onMessage.addListener((message, sender, answer) => answer(message));
talk();
addEventListener("pageshow", (event) => event.persisted && talk());
