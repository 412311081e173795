'use strict';
// Pages of the web that connect to an extension: the sleeper, whose manifest names them, and the recorder's own, whose
// manifest does not.

scenario('web_page_connects', {
  timeout: 400000,
  sleeper(t) {
    const shown = sender => {
      const { url, origin, frameId, documentId, documentLifecycle, tab } = sender;
      return { keys: Object.keys(sender).sort().join(), url, origin, frameId, documentId, documentLifecycle, tabId: tab && tab.id };
    };
    for (const event of ['onConnect', 'onMessage']) api.runtime[event].addListener(() => t.log(event));
    api.runtime.onMessageExternal.addListener((message, sender, respond) => {
      t.log('onMessageExternal', { message, sender: shown(sender) });
      respond({ answer: message });
    });
    api.runtime.onConnectExternal.addListener(port => {
      t.log('onConnectExternal', { name: port.name, sender: shown(port.sender) });
      port.onMessage.addListener(message => {
        t.log('message', { message });
        if (message === 'end') port.disconnect(); else port.postMessage('back ' + message);
      });
      port.onDisconnect.addListener(() => t.log('onDisconnect', { name: port.name, lastError: lastErr() }));
    });
  },
  cs() {},
  async bg(t) {
    for (const event of ['onConnect', 'onMessage', 'onConnectExternal', 'onMessageExternal']) t.on(api.runtime[event], () => t.log(event));
    await t.rest();
    const T = await t.open();
    // A script of the page, by its function alone.
    const use = async (admitting, closed) => {
      const seen = [];
      const say = what => { seen.push(what); };
      say(typeof chrome + ' ' + typeof browser);
      const runtime = typeof chrome === 'undefined' ? undefined : chrome.runtime;
      if (runtime === undefined) return seen;
      say(Object.keys(runtime).filter(name => typeof runtime[name] === 'function').sort().join());
      say(String(runtime.id) + ' ' + Object.keys(browser).join() + ' ' + (browser.runtime === runtime));
      const attempt = async (label, call) => {
        try { say([label, await call()]); } catch (error) { say([label, error.name + ': ' + error.message]); }
      };
      const called = (...given) => new Promise(resolve => {
        runtime.sendMessage(...given, (...answer) => { const error = runtime.lastError; resolve([answer, error ? error.message : null]); });
      });
      const lastError = () => (runtime.lastError ? runtime.lastError.message : null);
      const ended = port => new Promise(resolve => port.onDisconnect.addListener(other => resolve([other === port, lastError()])));
      await attempt('send', () => runtime.sendMessage(admitting, { a: 1 }));
      await attempt('send with a callback', () => called(admitting, 'b'));
      await attempt('send with options', () => runtime.sendMessage(admitting, 'c', {}));
      const port = runtime.connect(admitting, { name: 'first' });
      say([Object.keys(port).sort().join(), port.name, String(port.sender)]);
      const heard = new Promise(resolve => port.onMessage.addListener(resolve));
      const end = ended(port);
      port.postMessage({ b: 2 });
      say(await heard);
      port.postMessage('end');
      say(await end);
      await attempt('post after the end', () => port.postMessage('late'));
      for (const id of [closed, 'a'.repeat(32)]) {
        await attempt('send to who admits nobody', () => runtime.sendMessage(id, 'x'));
        await attempt('the same with a callback', () => called(id, 'x'));
        const refused = runtime.connect(id, { name: 'refused' });
        refused.postMessage('x');
        say(await ended(refused));
      }
      const arguments_ = [[], ['x'], [{ a: 1 }], [{ a: 1 }, {}], ['', 'x'], [null, 'x'], [undefined, 'x'], ['zzz', 'x'], [5, 'x'], [admitting], [admitting, 'x', { foo: 1 }], [admitting, 1n]];
      for (const given of arguments_) await attempt('sendMessage', () => runtime.sendMessage(...given));
      for (const given of [[], [{ name: 'x' }], [''], [null, { name: 'x' }], ['zzz'], [5], [admitting, { foo: 1 }], [admitting, { name: 5 }]]) {
        await attempt('connect', () => runtime.connect(...given));
      }
      // Open when the page goes.
      const last = runtime.connect(admitting, { name: 'last' });
      await new Promise(resolve => { last.onMessage.addListener(resolve); last.postMessage('still here'); });
      return seen;
    };
    const target = { tabId: T.id };
    const run = api.scripting.executeScript({ target, world: 'MAIN', func: use, args: [t.sleeper, api.runtime.id] });
    const seen = await run.then(([{ result }]) => result, errText);
    t.log('page', { count: seen.length });
    for (const one of seen) t.log('seen', { one });
    await api.tabs.remove(T.id);
    await t.wait(300);
  },
});
