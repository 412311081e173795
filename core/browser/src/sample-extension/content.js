// Runs in every frame of a page and answers whoever connects.

browser.runtime.onConnect.addListener((port) => {
    console.log(`${location.host} is connected`);
    port.onMessage.addListener((message) => {
        if (message.greeting) {
            port.postMessage({ greeting: `Hi from ${location.host}${location.pathname}` });
        } else {
            port.postMessage({ pong: message.ping });
        }
    });
});
