'use strict';
// What `scripting.executeScript` runs: files, more than once, and functions in either world.

scenario('injection_twice', {
  cs() {},
  async bg(t) {
    const T = await t.open();
    const inject = (...files) => api.scripting.executeScript({ target: { tabId: T.id }, files });
    const connect = async (name, label, posts) => {
      const port = api.tabs.connect(T.id, { name });
      t.track(port, label);
      await t.wait(200);
      if (posts) { port.postMessage('m'); await t.wait(150); }
      port.disconnect();
      await t.wait(100);
    };
    const [first] = await inject('injected.js');
    t.log('injected', { result: desc(first.result), keys: Object.keys(first).sort().join() });
    await connect('after one', 'o1', true);
    const [second] = await inject('injected.js');
    t.log('injected again', { result: desc(second.result) });
    await connect('after two', 'o2', true);
    t.log('sendMessage', { value: await api.tabs.sendMessage(T.id, 'q').then(desc, errText) });
    t.log('files twice in one call', { result: await inject('injected.js', 'injected.js').then(results => desc(results[0].result), errText) });
    await connect('after more', 'o3', false);
  },
});

scenario('injection_worlds', {
  cs() {},
  async bg(t) {
    t.on(api.runtime.onMessage, (message, sender, sendResponse) => { t.log('onMessage', { msg: desc(message) }); sendResponse('yes'); });
    t.on(api.runtime.onConnect, port => t.log('onConnect', { name: port.name }));
    const T = await t.open();
    const look = id => {
      const seen = { chrome: typeof chrome, runtime: typeof chrome !== 'undefined' ? typeof chrome.runtime : '-', browser: typeof browser, keys: typeof chrome !== 'undefined' ? Object.keys(chrome).sort().join() : '-' };
      try { seen.send = String(chrome.runtime.sendMessage(id, 'from main')); } catch (error) { seen.send = error.name + ': ' + error.message; }
      try { seen.connect = String(chrome.runtime.connect(id)); } catch (error) { seen.connect = error.name + ': ' + error.message; }
      return seen;
    };
    for (const world of ['MAIN', 'ISOLATED']) {
      const run = api.scripting.executeScript({ target: { tabId: T.id }, world, func: look, args: [api.runtime.id] });
      t.log('world ' + world, { result: await run.then(results => desc(results[0].result || results[0]), errText) });
      await t.wait(200);
    }
    t.track(api.tabs.connect(T.id), 'o');
    await t.wait(200);
  },
});
