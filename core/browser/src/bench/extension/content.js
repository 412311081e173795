// The other end of each question; see background.js.

const kept = [];

browser.runtime.onConnect.addListener((port) => {
    switch (port.name) {
        case "echo":
            port.onMessage.addListener((message) => port.postMessage(message));
            break;
        case "sink": {
            let heard = 0;
            port.onMessage.addListener(({ last }) => {
                heard += 1;
                if (last) {
                    port.postMessage({ heard });
                }
            });
            port.postMessage({ ready: true });
            break;
        }
        case "hello":
            port.postMessage({ hello: true });
            break;
        default:
            port.onMessage.addListener(() => {});
            kept.push(port);
            port.postMessage({ ready: true });
    }
});
