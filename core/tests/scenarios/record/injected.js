// A file that scenarios inject: it logs and listens, under the number of its run in this world.
logOfScenario.runs = (logOfScenario.runs || 0) + 1;
(k => {
  logOfScenario('injected', { k });
  api.runtime.onConnect.addListener(port => {
    logOfScenario('onConnect', { k, name: port.name });
    port.onMessage.addListener(msg => logOfScenario('message', { k, msg }));
  });
  api.runtime.onMessage.addListener((message, sender, sendResponse) => {
    logOfScenario('onMessage', { k });
    sendResponse('answer of ' + k);
  });
})(logOfScenario.runs);
'result ' + logOfScenario.runs;
