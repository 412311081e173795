'use strict';
// A third context: a page of the extension, in a tab. `page` is what runs there.

scenario('page_causality', {
  // A (background) posts to C (page), then to B (content script), which posts to C. What does C see first?
  cs(t) {
    t.on(api.runtime.onConnect, fromA => {
      const toC = api.runtime.connect({ name: 'from B' });
      fromA.onMessage.addListener(round => toC.postMessage(round));
    });
  },
  page(t) {
    const heard = { A: new Set(), B: new Set() };
    let before = 0;
    const hear = (who, port) => port.onMessage.addListener(message => {
      if (message === 'report') return t.log('summary', { fromA: heard.A.size, fromB: heard.B.size, answersBeforeTheirCause: before });
      if (who === 'B' && !heard.A.has(message)) before++;
      heard[who].add(message);
    });
    t.on(api.runtime.onConnect, port => { if (port.name === 'from B') hear('B', port); });
    hear('A', api.runtime.connect({ name: 'from C' }));
  },
  async bg(t) {
    let toC;
    t.on(api.runtime.onConnect, port => { if (port.name === 'from C') toC = port; });
    await t.openPage('C');
    const T = await t.open();
    const toB = api.tabs.connect(T.id, { name: 'from A' });
    await t.wait(200);
    const post = round => { toC.postMessage(round); toB.postMessage(round); };
    for (let round = 0; round < 50; round++) { post(round); await t.wait(2); }
    for (let round = 50; round < 250; round++) post(round);
    await t.wait(300);
    toC.postMessage('report');
    await t.wait(100);
  },
});

scenario('page_hears_frames', {
  // A frame's runtime.connect and runtime.sendMessage reach the background and the page, nobody else.
  cs(t) {
    t.receive();
    t.on(api.runtime.onMessage, message => { t.log('onMessage', { message }); });
    t.fns.go = () => {
      const port = t.track(api.runtime.connect({ name: 'from ' + t.ctx }), 'up');
      t.fns.post = () => { t.attempt('post', () => port.postMessage('more')); };
      port.postMessage('hello');
    };
    t.fns.ask = () => api.runtime.sendMessage('who is there').then(value => t.log('answer', { value }));
  },
  page(t) {
    t.receive({ onMessage(message, port) { if (message === 'more') { t.attempt('leave', () => port.disconnect()); } } });
    t.on(api.runtime.onMessage, (message, sender, sendResponse) => { t.log('onMessage', { message }); setTimeout(() => sendResponse('the page'), 100); return true; });
  },
  async bg(t) {
    t.receive();
    t.on(api.runtime.onMessage, (message, sender, sendResponse) => { t.log('onMessage', { message }); sendResponse('the background'); });
    await t.openPage('page');
    const T = await t.open({ frames: 1 });
    await t.exec(T, 'f1', 'ask');
    await t.wait(200);
    await t.exec(T, 'f1', 'go');
    await t.wait(150);
    await t.exec(T, 'f1', 'post');
    await t.wait(200);
    await t.exec(T, 'f1', 'post');
    await t.wait(120);
  },
});

scenario('page_and_background', {
  // The page and the background connect to each other; who the sender is; the page's tab is closed.
  page(t) {
    t.receive();
    t.track(api.runtime.connect({ name: 'page to background' }), 'up');
    t.log('surface', { tabs: typeof api.tabs.connect, runtime: typeof api.runtime.connect });
  },
  async bg(t) {
    const ended = [];
    const watch = (port, label) => {
      port.onDisconnect.addListener(() => ended.push(label + ': ' + (lastErr() || (port.error ? errText(port.error) : 'no error'))));
      return port;
    };
    t.on(api.runtime.onConnect, port => {
      const { id, url, frameId, tab } = port.sender;
      t.log('onConnect', { name: port.name, own: id === api.runtime.id, url: url.replace(/\?.*/, ''), frameId, tab: typeof tab, sameTab: !!tab && tab.id === t.tabs[0] });
      watch(port, 'up');
    });
    const P = await t.openPage('page');
    await t.wait(100);
    watch(api.runtime.connect({ name: 'background to page' }), 'down').postMessage('hello page');
    await t.wait(120);
    watch(api.tabs.connect(P.id, { name: 'by its tab' }), 'by tab').postMessage('hello tab');
    await t.wait(150);
    t.log('before the tab is closed', { ended: ended.length });
    await api.tabs.remove(P.id);
    await t.wait(250);
    t.log('afterwards', { ended: ended.sort().join(', ') }); // in no particular order
  },
});
