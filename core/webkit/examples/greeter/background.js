// https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/tabs/connect
function connectToTab(tab) {
  const examplePort = browser.tabs.connect(tab.id, { name: "tabs-connect-example" });
  examplePort.onMessage.addListener((message, port) => {
    console.log(`frame answers: ${message.from}`);
  });
  examplePort.postMessage({ greeting: "Hi from background script" });
}

browser.action.onClicked.addListener(connectToTab);
console.log("background listens");
