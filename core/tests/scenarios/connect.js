'use strict';
// Who a connection reaches, and what it is called.

scenario('connect_nobody_listens', {
  // Targets that exist but have no listener, and targets that do not exist, look alike.
  cs(t) {},
  async bg(t) {
    const T = await t.open({ frames: 1 });
    const blank = await api.tabs.create({ url: 'about:blank' });
    const plain = await api.tabs.create({ url: BUILD.base + '/plain' });
    t.tabs.push(blank.id, plain.id);
    await t.wait(250);
    const targets = [
      ['about:blank', blank.id, {}],
      ['page without listener', plain.id, {}],
      ['frame without listener', T.id, { frameId: T.frames.f1.frameId }],
      ['no such frame', T.id, { frameId: 987654321 }],
      ['no such document', T.id, { documentId: 'FEDCBA9876543210FEDCBA9876543210' }],
    ];
    for (const [label, tabId, info] of targets) {
      const port = t.attempt('connect to ' + label, () => api.tabs.connect(tabId, info));
      t.track(port, label);
      t.attempt('post', () => port.postMessage(label));
      Promise.resolve().then(() => t.log('microtask'));
      await t.wait(120);
      t.attempt('post later', () => port.postMessage(label));
    }
  },
});

scenario('connect_frame_zero', {
  // Frame 0 is the top frame alone; an absent frame id is every frame.
  cs(t) { t.receive(); },
  async bg(t) {
    const T = await t.open({ frames: 2 });
    for (const [name, info] of [['zero', { frameId: 0 }], ['null', { frameId: null }], ['undefined', { frameId: undefined }]]) {
      const port = api.tabs.connect(T.id, { name, ...info });
      port.postMessage('to ' + name);
      await t.wait(120);
      port.disconnect();
      await t.wait(60);
    }
  },
});

scenario('connect_bad_info', {
  // Arguments are checked before anything is sent.
  cs(t) { t.receive(); },
  async bg(t) {
    const T = await t.open();
    const infos = [
      { frameId: -1 }, { frameId: -5 }, { frameId: 1.5 }, { frameId: NaN }, { frameId: '0' }, { frameId: true }, { frameId: {} },
      { name: 5 }, { name: true }, { name: {} }, { name: ['x'] }, { documentId: 7 }, { colour: 'red' }, { name: 'fine', size: 3 },
      'name', 5, [], () => {},
    ];
    for (const info of infos) {
      const port = t.attempt('connect ' + (typeof info === 'object' ? JSON.stringify(desc(info)) : typeof info), () => api.tabs.connect(T.id, info));
      if (port) port.disconnect();
      await t.wait(20);
    }
    t.attempt('no arguments', () => api.tabs.connect());
    t.attempt('tab id as text', () => api.tabs.connect(String(T.id)));
    t.attempt('fractional tab id', () => api.tabs.connect(0.5));
    t.attempt('three arguments', () => api.tabs.connect(T.id, {}, {}));
    await t.wait(100);
  },
});

scenario('connect_names', {
  // The name as both ends see it.
  cs(t) {
    t.on(api.runtime.onConnect, port => {
      const name = port.name;
      t.log('onConnect', { type: typeof name, length: name === null ? null : name.length, name: desc(name), lone: typeof name === 'string' && /^[\ud800-\udfff]/.test(name) });
    });
  },
  async bg(t) {
    const T = await t.open();
    const names = [
      ['no info', undefined], ['empty info', {}], ['null name', { name: null }], ['undefined name', { name: undefined }],
      ['empty', { name: '' }], ['spaces', { name: '  two words ' }], ['not ASCII', { name: 'Straße 東京 😀' }],
      ['NUL inside', { name: 'a\u0000b' }], ['lone surrogate first', { name: '\udc00x' }], ['100,000 letters', { name: 'n'.repeat(100000) }],
    ];
    for (const [label, info] of names) {
      const port = t.attempt(label, () => info === undefined ? api.tabs.connect(T.id) : api.tabs.connect(T.id, info));
      t.log('opener', { label, name: desc(port.name) });
      await t.wait(70);
      port.disconnect();
    }
    await t.wait(60);
  },
});

scenario('connect_same_name_twice', {
  // Two ports of one name are two ports.
  cs(t) { t.receive({ onMessage(message, port) { port.postMessage('heard ' + message); } }); },
  async bg(t) {
    const T = await t.open();
    const first = t.track(api.tabs.connect(T.id, { name: 'twin' }), 'first');
    const second = t.track(api.tabs.connect(T.id, { name: 'twin' }), 'second');
    t.log('same', { same: first === second });
    await t.wait(120);
    first.postMessage('one');
    await t.wait(80);
    second.postMessage('two');
    await t.wait(80);
    first.disconnect();
    await t.wait(80);
    second.postMessage('three');
    await t.wait(100);
    second.disconnect();
    await t.wait(60);
  },
});

scenario('connect_two_listeners', {
  // Two onConnect listeners of one context are handed the same port.
  cs(t) {
    let seen;
    t.on(api.runtime.onConnect, port => {
      seen = port;
      t.log('first listener', { name: port.name });
      port.mark = 'set by the first';
      port.onMessage.addListener(message => t.log('first hears', { message }));
      port.onDisconnect.addListener(() => t.log('first hears the end'));
    });
    t.on(api.runtime.onConnect, port => {
      t.log('second listener', { same: port === seen, mark: port.mark });
      port.onMessage.addListener((message, p) => {
        t.log('second hears', { message, same: p === seen });
        if (message === 'close') {
          port.disconnect();
          t.attempt('post through the other', () => seen.postMessage('late'));
        }
      });
      port.postMessage('one port');
    });
  },
  async bg(t) {
    const T = await t.open();
    const port = t.track(api.tabs.connect(T.id, { name: 'shared' }), 'opener');
    port.postMessage('hello');
    await t.wait(120);
    port.postMessage('close');
    await t.wait(200);
  },
});

scenario('connect_late_frame', {
  // A frame that is added later has no part in a port that is already open.
  cs(t) {
    t.receive();
    t.fns.addFrame = () => {
      const frame = document.createElement('iframe');
      frame.id = 'late';
      frame.src = '/frame?s=connect_late_frame&r=' + t.run + '&f=late';
      document.body.append(frame);
    };
  },
  async bg(t) {
    const T = await t.open({ frames: 1 });
    const port = t.track(api.tabs.connect(T.id, { name: 'early' }), 'opener');
    await t.wait(120);
    await t.expect();
    await t.exec(T, 'top', 'addFrame');
    await t.ready(1);
    port.postMessage('after the frame came');
    await t.wait(120);
    const again = api.tabs.connect(T.id, { name: 'again' });
    await t.wait(120);
    port.disconnect();
    await t.wait(60);
    again.disconnect();
    await t.wait(60);
  },
});

scenario('connect_unkept_port', {
  // A receiver that keeps no reference to its port stays connected.
  cs(t) { t.on(api.runtime.onConnect, port => { t.log('onConnect', { name: port.name }); }); },
  async bg(t) {
    const T = await t.open();
    const port = t.track(api.tabs.connect(T.id, { name: 'unkept' }), 'opener');
    for (let i = 0; i < 3; i++) {
      await t.wait(150);
      t.attempt('post', () => port.postMessage(i));
    }
    t.attempt('disconnect', () => port.disconnect());
  },
});

scenario('connect_external_ids', {
  // A content script names its own extension in several ways, and others that are not there.
  cs(t) {
    t.fns.go = () => {
      const ids = [['empty', ''], ['null', null], ['undefined', undefined], ['own', api.runtime.id]];
      for (const [label, id] of ids) {
        const port = t.attempt(label, () => api.runtime.connect(id, { name: label }));
        if (port) t.track(port, label);
      }
      t.attempt('info alone', () => api.runtime.connect({ name: 'info alone' }));
      t.attempt('nothing', () => api.runtime.connect());
    };
    t.fns.stranger = () => {
      const port = t.attempt('malformed', () => api.runtime.connect('no-such-extension', { name: 'malformed' }));
      if (port) t.track(port, 'malformed');
    };
    t.fns.wrong = () => {
      t.attempt('number', () => api.runtime.connect(5));
      t.attempt('unknown key', () => api.runtime.connect({ colour: 'red' }));
      t.attempt('numeric name', () => api.runtime.connect({ name: 5 }));
    };
  },
  async bg(t) {
    t.on(api.runtime.onConnect, port => t.log('onConnect', { name: port.name }));
    t.on(api.runtime.onConnectExternal, port => t.log('onConnectExternal', { name: port.name }));
    const T = await t.open();
    for (const step of ['go', 'stranger', 'wrong']) {
      await t.exec(T, 'top', step);
      await t.wait(150);
    }
  },
});

scenario('connect_who_hears', {
  // The background's connections never come back to it, a frame's never reach another frame.
  cs(t) {
    t.receive();
    t.fns.connect = () => t.track(api.runtime.connect({ name: 'from ' + t.ctx }), 'own');
  },
  async bg(t) {
    t.receive();
    const T = await t.open({ frames: 2 });
    const down = t.track(api.tabs.connect(T.id, { name: 'down', frameId: T.frames.f1.frameId }), 'down');
    await t.wait(120);
    await t.exec(T, 'f2', 'connect');
    await t.wait(120);
    await t.exec(T, 'top', 'connect');
    await t.wait(120);
    const self = t.track(api.runtime.connect({ name: 'to myself' }), 'self');
    await t.wait(120);
    t.attempt('post to nobody', () => self.postMessage(1));
    down.disconnect();
    await t.wait(60);
  },
});

scenario('connect_extension_page', {
  // A page of the extension in a tab is no content script, and without listener no receiver.
  cs(t) { t.receive(); },
  async bg(t) {
    const tab = await api.tabs.create({ url: api.runtime.getURL('page.html') });
    t.tabs.push(tab.id);
    await t.wait(300);
    const port = t.attempt('connect', () => api.tabs.connect(tab.id, { name: 'page' }));
    t.track(port, 'page');
    await t.wait(150);
    const own = t.attempt('runtime.connect', () => api.runtime.connect({ name: 'runtime' }));
    t.track(own, 'runtime');
    await t.wait(150);
  },
});

scenario('connect_info_properties', {
  // Which properties of `connectInfo` count, and what else may be wrong with it.
  cs(t) { t.receive(); },
  async bg(t) {
    const T = await t.open();
    const infos = {
      inherited: Object.create({ name: 'inherited' }),
      getter: { get name() { return 'got'; } },
      'getter that throws': { get name() { throw new Error('no name'); } },
      'bigint name': { name: 1n },
      'bigint frame': { frameId: 1n },
      date: new Date(0),
      'symbol key': { [Symbol('key')]: 1, name: 'with a symbol' },
      'unknown and undefined': { unknown: undefined },
    };
    for (const [what, info] of Object.entries(infos)) {
      const port = t.attempt(what, () => api.tabs.connect(T.id, info));
      await t.wait(80);
      if (port) port.disconnect();
      await t.wait(30);
    }
    const own = t.attempt('own extension', () => api.runtime.connect({}));
    t.log('name', { name: desc(own.name) });
    await t.wait(80);
  },
});
