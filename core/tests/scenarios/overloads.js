'use strict';
// The overloads of `runtime.sendMessage`, and the options of `tabs.sendMessage`.

const overloads = {
  // Logs what a call gives, and waits until it is settled.
  call(t, what, fn) {
    return new Promise(done => {
      let result;
      try { result = fn(); } catch (error) { t.log('throw', { what, error: errText(error) }); done(); return; }
      if (!result || typeof result.then !== 'function') { t.log('returned', { what, ret: desc(result) }); setTimeout(done, 150); return; }
      let isOver = false;
      const end = (event, fields) => { if (!isOver) { isOver = true; t.log(event, { what, ...fields }); done(); } };
      setTimeout(() => end('pending after 2 s', {}), 2000);
      result.then(value => end('resolved', { value: desc(value) }), error => end('rejected', { error: errText(error), lastError: lastErr() }));
    });
  },

  // Logs what its callback is given.
  callBack(t, what, given) {
    return new Promise(done => {
      const timer = setTimeout(() => { t.log('no callback in 1 s', { what }); done(); }, 1000);
      const end = (event, fields) => { clearTimeout(timer); t.log(event, { what, ...fields }); done(); };
      try {
        const result = chrome.runtime.sendMessage(...given, (...args) => end('callback', { args: desc(args), lastError: lastErr() }));
        if (result !== undefined) t.log('returned', { what, ret: desc(result) });
      } catch (error) { end('throw', { error: errText(error) }); }
    });
  },

  lists: {
    "'hello',{}": () => ['hello', {}],
    "'hello',null": () => ['hello', null],
    "'hello',undefined": () => ['hello', undefined],
    "id,{}": () => [api.runtime.id, {}],
    "id,'hi'": () => [api.runtime.id, 'hi'],
    "id,undefined": () => [api.runtime.id, undefined],
    "id,null": () => [api.runtime.id, null],
    "id": () => [api.runtime.id],
    "null,{a:1}": () => [null, { a: 1 }],
    "undefined,'hi'": () => [undefined, 'hi'],
    "null,'hi'": () => [null, 'hi'],
    "[],[]": () => [[], []],
    "'hello',{a:1}": () => ['hello', { a: 1 }],
    "{a:1},{}": () => [{ a: 1 }, {}],
    "{a:1},null": () => [{ a: 1 }, null],
    "{a:1},undefined": () => [{ a: 1 }, undefined],
    "{a:1},{b:2}": () => [{ a: 1 }, { b: 2 }],
    "'','hi'": () => ['', 'hi'],
    "5,'hi'": () => [5, 'hi'],
    "5,{}": () => [5, {}],
    "true,{}": () => [true, {}],
    "'hello'": () => ['hello'],
    "": () => [],
    "undefined": () => [undefined],
    "null": () => [null],
    "null,null": () => [null, null],
    "'hello','hi'": () => ['hello', 'hi'],
    "id,{a:1},{}": () => [api.runtime.id, { a: 1 }, {}],
    "null,{a:1},{}": () => [null, { a: 1 }, {}],
    "null,{a:1},null": () => [null, { a: 1 }, null],
    "undefined,{a:1},undefined": () => [undefined, { a: 1 }, undefined],
    "'hello',{a:1},{}": () => ['hello', { a: 1 }, {}],
    "'hello',{includeTlsChannelId:true}": () => ['hello', { includeTlsChannelId: true }],
    "{a:1},{includeTlsChannelId:true}": () => [{ a: 1 }, { includeTlsChannelId: true }],
    "id,{a:1},{},{}": () => [api.runtime.id, { a: 1 }, {}, {}],
    "[],{}": () => [[], {}],
    "{},[]": () => [{}, []],
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','hi'": () => ['a'.repeat(32), 'hi'],
    "'nobody@example.invalid','hi'": () => ['nobody@example.invalid', 'hi'],
  },

  withCallback: ["'hello',{}", "'hello',null", "'hello',undefined", "id,'hi'", "null,{a:1}", "{a:1},{}", "{a:1},null", "'','hi'", "5,'hi'", "'hello'", "", "'hello','hi'"],
};

scenario('overloads_runtime', {
  timeout: 38000,
  cs(t) {
    t.fns.go = async () => {
      for (const what of Object.keys(overloads.lists)) await overloads.call(t, what, () => api.runtime.sendMessage(...overloads.lists[what]()));
      return 1;
    };
    t.fns.cb = async () => {
      for (const what of overloads.withCallback) await overloads.callBack(t, what + ',cb', overloads.lists[what]());
      return 1;
    };
  },
  async bg(t) {
    t.on(api.runtime.onMessage, (message, sender, sendResponse) => {
      t.log('onMessage', { msg: desc(message) });
      sendResponse({ got: message === undefined ? 'undefined' : message });
    });
    t.on(api.runtime.onMessageExternal, message => t.log('onMessageExternal', { msg: desc(message) }));
    const T = await t.open();
    await t.exec(T, 'top', 'go');
    t.log('now with a callback');
    await t.exec(T, 'top', 'cb');
  },
});

scenario('overloads_tabs', {
  timeout: 30000,
  cs(t) {
    t.on(api.runtime.onMessage, (message, sender, sendResponse) => {
      t.log('onMessage', { msg: desc(message) });
      sendResponse(t.ctx);
    });
  },
  async bg(t) {
    const T = await t.open({ frames: 1 });
    const { frameId, documentId } = T.frames.f1;
    const options = {
      "none": [], "undefined": [undefined], "null": [null], "{}": [{}],
      "{frameId:undefined}": [{ frameId: undefined }], "{frameId:null}": [{ frameId: null }], "{frameId:0}": [{ frameId: 0 }],
      "{frameId:-1}": [{ frameId: -1 }], "{frameId:'0'}": [{ frameId: '0' }], "{frameId:1.5}": [{ frameId: 1.5 }],
      "{frameId:f1}": [{ frameId }], "{frameId:99999}": [{ frameId: 99999 }],
      "{documentId:f1}": [{ documentId }], "{documentId:'zzz'}": [{ documentId: 'zzz' }], "{documentId:null}": [{ documentId: null }],
      "{documentId:f1,frameId:0}": [{ documentId, frameId: 0 }],
      "{foo:1}": [{ foo: 1 }], "5": [5], "'x'": ['x'],
    };
    for (const k of Object.keys(options)) await overloads.call(t, k, () => api.tabs.sendMessage(T.id, { k }, ...options[k]));
    await overloads.call(t, 'no message', () => api.tabs.sendMessage(T.id));
    await overloads.call(t, 'msg undefined', () => api.tabs.sendMessage(T.id, undefined));
    await overloads.call(t, 'msg null', () => api.tabs.sendMessage(T.id, null));
    await overloads.call(t, 'tab -1', () => api.tabs.sendMessage(-1, 'x'));
    await overloads.call(t, "tab '1'", () => api.tabs.sendMessage('1', 'x'));
    await overloads.call(t, 'tab 99999', () => api.tabs.sendMessage(99999, 'x'));
    await overloads.call(t, 'function', () => api.tabs.sendMessage(T.id, () => 1));
    await overloads.call(t, '4 args', () => api.tabs.sendMessage(T.id, 'x', {}, {}));
  },
});
