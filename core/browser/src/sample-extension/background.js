// The example of MDN's page on tabs.connect(), which then goes on talking.
// https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/tabs/connect

const ROUNDS = 2000;

browser.action.onClicked.addListener(() => {
    const gettingActive = browser.tabs.query({ currentWindow: true, active: true });
    gettingActive.then(connectToTab, onError);
});

function connectToTab(tabs) {
    if (tabs.length > 0) {
        const examplePort = browser.tabs.connect(tabs[0].id, { name: "tabs-connect-example" });
        talk(examplePort);
        examplePort.postMessage({ greeting: "Hi from background script" });
    }
}

// Every frame of the tab holds the other end of the port and answers each message;
// the first answer of a round starts the next one.
function talk(port) {
    let round = 0;

    port.onMessage.addListener((message) => {
        if (message.greeting) {
            console.log(`heard: ${message.greeting}`);
        }
        const isFirstAnswer = (message.pong ?? 0) === round;
        if (isFirstAnswer && round < ROUNDS) {
            round += 1;
            port.postMessage({ ping: round });
        }
    });
    port.onDisconnect.addListener(() => {
        console.log(`disconnected: ${browser.runtime.lastError?.message ?? "no error"}`);
    });
}

function onError(error) {
    console.error(`Error: ${error.message}`);
}
