'use strict';
// Frames, documents and tabs that go away, or come back.

// Logs `pagehide` and `pageshow`, until told to stop: what a closing tab logs last may never arrive.
var logPageEvents = t => {
  let watching = true;
  for (const type of ['pagehide', 'pageshow']) addEventListener(type, event => { if (watching) t.log(type, { persisted: event.persisted }); });
  t.fns.unwatch = () => { watching = false; };
};

scenario('navigation_one_frame', {
  // A port to one frame, which then shows another document.
  cs(t) { t.receive({ onConnect() { t.log('document', { x: t.q.get('x') || 'first' }); } }); },
  async bg(t) {
    const T = await t.open({ frames: 1 });
    const port = t.track(api.tabs.connect(T.id, { frameId: T.frames.f1.frameId, name: 'one' }), 'opener');
    await t.wait(120);
    await t.expect();
    await t.navFrame(T, 'f1', '/frame?s=navigation_one_frame&r=' + t.run + '&f=f1&x=second');
    await t.ready(1);
    await t.wait(150);
    t.attempt('post', () => port.postMessage('where are you'));
    const again = t.track(api.tabs.connect(T.id, { frameId: T.frames.f1.frameId, name: 'again' }), 'again');
    again.postMessage('here');
    await t.wait(120);
    again.disconnect();
    await t.wait(60);
  },
});

scenario('navigation_one_of_three', {
  // A port to three frames, one of which shows another document.
  cs(t) { t.receive({ onConnect() { t.log('document', { x: t.q.get('x') || 'first' }); } }); },
  async bg(t) {
    const T = await t.open({ frames: 2 });
    const port = t.track(api.tabs.connect(T.id, { name: 'three' }), 'opener');
    await t.wait(120);
    await t.expect();
    await t.navFrame(T, 'f1', '/frame?s=navigation_one_of_three&r=' + t.run + '&f=f1&x=second');
    await t.ready(1);
    await t.wait(150);
    t.attempt('post', () => port.postMessage('who is left'));
    await t.wait(120);
    t.attempt('disconnect', () => port.disconnect());
    await t.wait(80);
  },
});

scenario('navigation_reload', {
  cs(t) { t.receive({ onConnect() { t.log('connected'); } }); },
  async bg(t) {
    const T = await t.open();
    const port = t.track(api.tabs.connect(T.id, { name: 'before' }), 'before');
    await t.wait(120);
    await t.expect();
    await api.tabs.reload(T.id);
    await t.ready(1);
    await t.wait(200);
    t.attempt('post on the old port', () => port.postMessage('x'));
    const after = t.track(api.tabs.connect(T.id, { name: 'after' }), 'after');
    after.postMessage('again');
    await t.wait(120);
    after.disconnect();
    await t.wait(60);
  },
});

scenario('navigation_cached_and_back', {
  // The page goes into the back/forward cache, is posted to, and returns.
  cs(t) {
    logPageEvents(t);
    t.receive({ onMessage(message, port) { t.attempt('answer', () => port.postMessage('heard ' + message)); } });
    t.fns.away = () => { setTimeout(() => { location.href = location.href + '&x=second&f=second'; }, 0); };
    t.fns.back = () => { setTimeout(() => history.back(), 0); };
  },
  async bg(t) {
    const T = await t.open();
    const port = t.track(api.tabs.connect(T.id, { name: 'old' }), 'old');
    port.postMessage('before');
    await t.wait(150);
    await t.expect();
    await t.exec(T, 'top', 'away');
    await t.ready(1);
    await t.wait(200);
    t.attempt('post while cached', () => port.postMessage('while cached'));
    await t.wait(150);
    await t.exec(T, 'top', 'back');
    await t.wait(300);
    await t.wait(200);
    t.attempt('post after return', () => port.postMessage('after return'));
    await t.wait(120);
    const fresh = t.track(api.tabs.connect(T.id, { name: 'new' }), 'new');
    fresh.postMessage('on a new port');
    await t.wait(120);
    fresh.disconnect();
    await t.wait(60);
    await t.exec(T, 'top', 'unwatch');
  },
});

scenario('navigation_cached_opener', {
  // The page that goes into the cache is the opener.
  cs(t) {
    logPageEvents(t);
    let port;
    t.fns.connect = () => { port = t.track(api.runtime.connect({ name: 'up' }), 'up'); port.postMessage('hello'); };
    t.fns.post = () => { t.attempt('post', () => port.postMessage('after return')); };
    t.fns.away = () => { setTimeout(() => { location.href = location.href + '&f=second'; }, 0); };
    t.fns.back = () => { setTimeout(() => history.back(), 0); };
  },
  async bg(t) {
    let up;
    t.receive({ onConnect(port) { up = port; } });
    const T = await t.open();
    await t.exec(T, 'top', 'connect');
    await t.wait(120);
    await t.expect();
    await t.exec(T, 'top', 'away');
    await t.ready(1);
    await t.wait(200);
    t.attempt('post while cached', () => up.postMessage('while cached'));
    await t.wait(120);
    await t.exec(T, 'top', 'back');
    await t.wait(300);
    await t.wait(200);
    t.attempt('post after return', () => up.postMessage('welcome back'));
    await t.exec(T, 'top', 'post');
    await t.wait(150);
    await t.exec(T, 'top', 'unwatch');
  },
});

scenario('navigation_discarded', {
  // A discarded tab, by its old id and its new one.
  cs(t) { t.receive(); },
  async bg(t) {
    const T = await t.open({ active: false });
    const port = t.track(api.tabs.connect(T.id, { name: 'before' }), 'before');
    await t.wait(120);
    const tab = await api.tabs.discard(T.id);
    const id = tab ? tab.id : T.id;
    if (id !== T.id) t.tabs.push(id);
    t.log('discarded', { sameId: id === T.id });
    await t.wait(250);
    t.attempt('post', () => port.postMessage('x'));
    for (const [label, target] of [['old id', T.id], ['new id', id]]) {
      t.track(t.attempt('connect to ' + label, () => api.tabs.connect(target)), label);
      await t.wait(120);
    }
    const now = await api.tabs.get(id);
    t.log('tab', { discarded: now.discarded, status: typeof now.status });
  },
});

scenario('navigation_words_in_pagehide', {
  // What a page says as it leaves is heard.
  cs(t) {
    t.on(api.runtime.onConnect, port => {
      addEventListener('pagehide', () => port.postMessage('goodbye'));
    });
    t.fns.leave = () => { setTimeout(() => { location.href = '/plain'; }, 0); };
  },
  async bg(t) {
    const T = await t.open();
    t.track(api.tabs.connect(T.id), 'opener');
    await t.wait(120);
    await t.exec(T, 'top', 'leave');
    await t.wait(300);
    t.log('done');
  },
});

scenario('navigation_openers_leave', {
  // Three frames connect to the background, and go in three ways.
  cs(t) {
    t.fns.connect = () => t.track(api.runtime.connect({ name: t.ctx }), 'up');
  },
  async bg(t) {
    t.on(api.runtime.onConnect, port => {
      t.log('onConnect', { name: port.name });
      port.onDisconnect.addListener(p => t.log('end', { name: p.name, lastError: lastErr(), portError: p.error ? errText(p.error) : null }));
    });
    const T = await t.open({ frames: 2 });
    for (const who of ['f1', 'f2', 'top']) {
      await t.exec(T, who, 'connect');
      await t.wait(80);
    }
    await t.rmFrame(T, 'f1');
    await t.wait(120);
    await t.expect();
    await t.navFrame(T, 'f2', '/frame?s=navigation_openers_leave&r=' + t.run + '&f=f2&x=second');
    await t.ready(1);
    await t.wait(120);
    await api.tabs.remove(T.id);
    await t.wait(200);
  },
});
