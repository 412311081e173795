'use strict';
// What pages hear and say while they go, and in which order their frames end.

// Each frame opens a port to the background, and says a word when its page goes.
var sayFarewell = t => {
  t.fns.connect = () => {
    const port = api.runtime.connect({ name: t.ctx });
    port.postMessage('here');
    addEventListener('pagehide', () => { port.postMessage('farewell'); });
  };
};

async function openSpeakers(t, options) {
  t.on(api.runtime.onConnect, port => { t.track(port, port.name); });
  const T = await t.open({ frames: 2, ...options });
  for (const who of ['top', 'f1', 'f2']) {
    await t.exec(T, who, 'connect');
    await t.wait(40);
  }
  return T;
}

scenario('leaving_reload', {
  cs: sayFarewell,
  async bg(t) {
    const T = await openSpeakers(t);
    t.log('reload', { gives: desc(await api.tabs.reload(T.id)) });
    await t.wait(300);
  },
});

scenario('leaving_closed_tab', {
  cs: sayFarewell,
  async bg(t) {
    // In Firefox the order of the ends differs from run to run.
    const words = [], ends = [];
    t.on(api.runtime.onConnect, port => {
      port.onMessage.addListener(word => { words.push(port.name + ' ' + word); });
      port.onDisconnect.addListener(() => { ends.push(port.name); });
    });
    const T = await t.open({ frames: 2 });
    for (const who of ['top', 'f1', 'f2']) {
      await t.exec(T, who, 'connect');
      await t.wait(40);
    }
    t.log('remove', { gives: desc(await api.tabs.remove(T.id)) });
    await t.wait(300);
    t.log('heard', { words: words.sort(), ends: IS_FF ? ends.sort() : ends });
  },
});

scenario('leaving_discarded_tab', {
  cs: sayFarewell,
  async bg(t) {
    await t.open();
    const words = [];
    t.on(api.runtime.onConnect, port => { port.onMessage.addListener(word => { words.push(port.name + ' ' + word); }); });
    const T = await t.open({ frames: 1, active: false });
    for (const who of ['top', 'f1']) await t.exec(T, who, 'connect');
    await t.wait(60);
    const discarded = await api.tabs.discard(T.id);
    await t.wait(300);
    const tab = await api.tabs.get(discarded ? discarded.id : T.id);
    if (discarded) t.tabs.push(discarded.id);
    t.log('discarded', { gives: typeof discarded, status: tab.status, listed: (await api.tabs.query({ discarded: true })).length, words: words.sort() });
  },
});

scenario('leaving_for_itself', {
  // To go to the page that is shown is to load it anew: nothing is kept in the cache.
  cs(t) {
    t.receive();
    addEventListener('pagehide', event => { if (t.q.get('x') === null) t.log('pagehide', { persisted: event.persisted }); });
  },
  async bg(t) {
    const T = await t.open();
    t.track(api.tabs.connect(T.id, { name: 'p' }), 'opener');
    await t.wait(120);
    await t.expect();
    await api.tabs.update(T.id, { url: T.url });
    await t.ready(1);
    t.log('loaded');
    await t.wait(100);
    // The closing tab's own last word may never arrive.
    await t.expect();
    await api.tabs.update(T.id, { url: T.url + '&x=last' });
    await t.ready(1);
    await t.wait(100);
  },
});

scenario('leaving_and_back', {
  // Between two pages of one site: which of them hears first, going and coming back.
  cs(t) {
    let watching = true;
    const page = t.q.get('x') || 'first';
    for (const type of ['pagehide', 'pageshow']) addEventListener(type, event => { if (watching) t.log(type, { page, persisted: event.persisted }); });
    document.addEventListener('visibilitychange', () => { if (watching) t.log('visibility', { page, state: document.visibilityState }); });
    t.fns.go = url => { location.href = url; };
    t.fns.back = () => { history.back(); };
    t.fns.unwatch = () => { watching = false; };
  },
  async bg(t) {
    const T = await t.open();
    await t.wait(100);
    await t.expect();
    await t.exec(T, 'top', 'go', ['/page?s=leaving_and_back&r=' + t.run + '&n=0&x=second']);
    t.log('the call is answered');
    await t.ready(1);
    await t.wait(150);
    await t.scan(T);
    await t.exec(T, 'top', 'back');
    await t.wait(400);
    await t.scan(T);
    await t.exec(T, 'top', 'unwatch');
    await t.wait(60);
  },
});

scenario('leaving_after_the_call', {
  // A function that navigates has been answered before its page goes.
  cs(t) {
    t.on(api.runtime.onConnect, port => { addEventListener('pagehide', () => { port.postMessage('farewell'); }); });
    t.fns.go = url => { location.href = url; };
  },
  async bg(t) {
    const T = await t.open({ frames: 1 });
    const port = t.track(api.tabs.connect(T.id, { frameId: T.frames.f1.frameId }), 'f1');
    await t.wait(120);
    await t.navFrame(T, 'f1', '/plain');
    t.log('frame sent away');
    await t.wait(250);
    t.attempt('post', () => port.postMessage('x'));
    t.track(api.tabs.connect(T.id, { frameId: 0 }), 'top');
    await t.wait(120);
    await t.exec(T, 'top', 'go', ['/plain']);
    t.log('page sent away');
    await t.wait(300);
  },
});

scenario('leaving_frame_loads', {
  // Frame elements tell their page when they have loaded.
  cs(t) {
    t.fns.add = () => {
      const frame = document.createElement('iframe');
      let count = 0;
      frame.addEventListener('load', () => { t.log('load', { count: ++count, inPage: document.body.contains(frame) }); });
      frame.id = 'late';
      frame.src = location.origin + '/frame?s=leaving_frame_loads&r=' + t.run + '&f=late';
      document.body.append(frame);
    };
  },
  async bg(t) {
    const T = await t.open();
    await t.expect();
    await t.exec(T, 'top', 'add');
    await t.ready(1);
    await t.wait(100);
    await t.expect();
    await t.navFrame(T, 'late', '/frame?s=leaving_frame_loads&r=' + t.run + '&f=late&x=second');
    await t.ready(1);
    await t.wait(100);
  },
});
