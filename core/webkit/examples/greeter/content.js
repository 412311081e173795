browser.runtime.onConnect.addListener((port) => {
  port.onMessage.addListener((message) => {
    const line = document.createElement("p");
    line.textContent = `${port.name}: ${message.greeting}`;
    line.style.cssText = "color: darkgreen; font-family: sans-serif";
    document.body.append(line);
    port.postMessage({ from: `${location.href} (${document.readyState})` });
  });
});
