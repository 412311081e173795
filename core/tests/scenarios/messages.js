'use strict';
// One-off messages.

var outcome = (t, label, promise) => promise.then(
  value => t.log('resolved', { what: label, value: desc(value) }),
  error => t.log('rejected', { what: label, error: errText(error) }));

scenario('message_reply_ways', {
  // An answer at once, later after `return true`, and by a promise; asked with a promise and with a callback.
  cs(t) {
    t.on(api.runtime.onMessage, (message, sender, sendResponse) => {
      t.log('onMessage', { message, tab: typeof sender.tab, id: sender.id === api.runtime.id });
      if (message === 'at once') sendResponse({ answer: 'at once' });
      if (message === 'later') { setTimeout(() => sendResponse({ answer: 'later' }), 50); return true; }
      if (message === 'promise') return Promise.resolve({ answer: 'promise' });
      if (message === 'late promise') return new Promise(resolve => setTimeout(() => resolve({ answer: 'late promise' }), 50));
      if (message === 'async of undefined') return Promise.resolve();
      if (message === 'value') return 'a plain value is no answer';
    });
  },
  async bg(t) {
    const T = await t.open();
    for (const how of ['at once', 'later', 'promise', 'late promise', 'async of undefined', 'value']) {
      await outcome(t, how, api.tabs.sendMessage(T.id, how));
      await t.wait(30);
    }
    for (const how of ['at once', 'later', 'promise', 'value']) {
      const returned = chrome.tabs.sendMessage(T.id, how, value => t.log('callback', { what: how, value: desc(value), lastError: lastErr() }));
      t.log('returned', { what: how, type: typeof returned });
      await t.wait(150);
      t.log('lastError afterwards', { lastError: lastErr() });
    }
  },
});

scenario('message_first_answer', {
  // The first answer is the answer, within a context and among frames.
  cs(t) {
    t.on(api.runtime.onMessage, (message, sender, sendResponse) => {
      if (message === 'twice') { sendResponse('first'); t.attempt('second time', () => sendResponse('second')); }
      if (message === 'two listeners') sendResponse('from the first listener');
      if (message === 'late and early') { setTimeout(() => sendResponse('late'), 120); return true; }
      if (message === 'frames') {
        if (t.ctx === 'f2') sendResponse('from f2');
        else { setTimeout(() => sendResponse('from ' + t.ctx), 150); return true; }
      }
      if (message === 'one of three' && t.ctx === 'f1') { setTimeout(() => sendResponse('from f1'), 60); return true; }
    });
    t.on(api.runtime.onMessage, (message, sender, sendResponse) => {
      if (message === 'two listeners') { t.log('second listener runs'); sendResponse('from the second listener'); }
      if (message === 'late and early') sendResponse('early');
    });
  },
  async bg(t) {
    const T = await t.open({ frames: 2 });
    for (const what of ['twice', 'two listeners', 'late and early']) {
      await outcome(t, what, api.tabs.sendMessage(T.id, what, { frameId: 0 }));
      await t.wait(150);
    }
    for (const what of ['frames', 'one of three']) {
      await outcome(t, what, api.tabs.sendMessage(T.id, what));
      await t.wait(200);
    }
  },
});

scenario('message_no_receiver', {
  // Nobody is there: to the caller of a promise and of a callback, without exception.
  cs(t) {
    t.fns.ask = () => outcome(t, 'from a frame', api.runtime.sendMessage('anybody?'));
    t.fns.askCallback = () => { chrome.runtime.sendMessage('anybody?', value => t.log('callback', { value: desc(value), lastError: lastErr() })); };
  },
  async bg(t) {
    const T = await t.open({ frames: 1 });
    await outcome(t, 'no listener', api.tabs.sendMessage(T.id, 1));
    await outcome(t, 'no such tab', api.tabs.sendMessage(99999997, 1));
    await outcome(t, 'no such frame', api.tabs.sendMessage(T.id, 1, { frameId: 987654321 }));
    await outcome(t, 'to itself', api.runtime.sendMessage('to itself'));
    chrome.tabs.sendMessage(99999997, 1, value => t.log('callback', { value: desc(value), lastError: lastErr() }));
    await t.wait(120);
    t.log('lastError afterwards', { lastError: lastErr() });
    await t.exec(T, 'f1', 'ask');
    await t.wait(100);
    await t.exec(T, 'f1', 'askCallback');
    await t.wait(150);
  },
});

scenario('message_no_answer', {
  // Somebody listens and nobody answers.
  cs(t) { t.on(api.runtime.onMessage, message => { t.log('onMessage', { message }); }); },
  async bg(t) {
    const T = await t.open();
    await outcome(t, 'promise', api.tabs.sendMessage(T.id, 'promise'));
    chrome.tabs.sendMessage(T.id, 'callback', value => t.log('callback', { value: desc(value), lastError: lastErr() }));
    await t.wait(150);
    t.attempt('without either', () => { chrome.tabs.sendMessage(T.id, 'neither'); });
    await t.wait(100);
  },
});

scenario('message_receiver_dies', {
  // The frame that promised an answer is removed, or shows another document.
  cs(t) {
    t.on(api.runtime.onMessage, (message, sender, sendResponse) => {
      t.log('onMessage', { message });
      return true;
    });
  },
  async bg(t) {
    const T = await t.open({ frames: 2 });
    const removed = outcome(t, 'removed', api.tabs.sendMessage(T.id, 'removed', { frameId: T.frames.f1.frameId }));
    await t.wait(100);
    await t.rmFrame(T, 'f1');
    await removed;
    const navigated = outcome(t, 'navigated', api.tabs.sendMessage(T.id, 'navigated', { frameId: T.frames.f2.frameId }));
    await t.wait(100);
    await t.expect();
    await t.navFrame(T, 'f2', '/frame?s=message_receiver_dies&r=' + t.run + '&f=f2&x=second');
    await t.ready(1);
    await navigated;
    chrome.tabs.sendMessage(T.id, 'closed', { frameId: 0 }, value => t.log('callback', { value: desc(value), lastError: lastErr() }));
    await t.wait(100);
    await api.tabs.remove(T.id);
    await t.wait(200);
  },
});

scenario('message_listener_fails', {
  // Listeners that throw, and promises of listeners that reject.
  cs(t) {
    t.on(api.runtime.onMessage, (message, sender, sendResponse) => {
      if (message === 'throws') throw new Error('thrown');
      if (message === 'rejects') return Promise.reject(new Error('rejected'));
      if (message === 'rejects with text') return Promise.reject('just text');
      if (message === 'rejects with an object') return Promise.reject({ message: 'message of an object' });
      if (message === 'throws, another answers') throw new Error('thrown');
    });
    t.on(api.runtime.onMessage, (message, sender, sendResponse) => {
      if (message === 'throws, another answers') sendResponse('answered');
    });
  },
  async bg(t) {
    const T = await t.open();
    for (const what of ['throws', 'rejects', 'rejects with text', 'rejects with an object', 'throws, another answers']) {
      await outcome(t, what, api.tabs.sendMessage(T.id, what));
      await t.wait(40);
    }
  },
});

scenario('message_not_serialisable', {
  // A message, and an answer, that cannot be copied.
  cs(t) {
    t.on(api.runtime.onMessage, (message, sender, sendResponse) => {
      if (message === 'sendResponse') { t.attempt('answer', () => sendResponse(() => {})); return true; }
      if (message === 'promise') return Promise.resolve(() => {});
    });
  },
  async bg(t) {
    const T = await t.open();
    for (const [label, value] of [['function', () => {}], ['symbol', Symbol('s')], ['big integer', 1n], ['cycle', (() => { const o = {}; o.o = o; return o; })()]]) {
      const promise = t.attempt(label, () => { const p = api.tabs.sendMessage(T.id, value); outcome(t, label, p); });
      await t.wait(60);
    }
    await outcome(t, 'promised function', api.tabs.sendMessage(T.id, 'promise'));
    outcome(t, 'function to sendResponse', api.tabs.sendMessage(T.id, 'sendResponse'));
    await t.wait(200);
  },
});

scenario('message_bad_arguments', {
  cs(t) {
    t.on(api.runtime.onMessage, message => { t.log('onMessage', { message: desc(message) }); });
    t.fns.go = () => {
      t.attempt('no arguments', () => { api.runtime.sendMessage().catch(error => t.log('rejected', { error: errText(error) })); });
    };
  },
  async bg(t) {
    const T = await t.open();
    const calls = [
      ['no message', () => api.tabs.sendMessage(T.id)],
      ['no arguments', () => api.tabs.sendMessage()],
      ['text for a tab', () => api.tabs.sendMessage('1', 1)],
      ['negative tab', () => api.tabs.sendMessage(-1, 1)],
      ['negative frame', () => api.tabs.sendMessage(T.id, 1, { frameId: -1 })],
      ['fractional frame', () => api.tabs.sendMessage(T.id, 1, { frameId: 0.5 })],
      ['unknown option', () => api.tabs.sendMessage(T.id, 1, { colour: 'red' })],
      ['number for options', () => api.tabs.sendMessage(T.id, 1, 5)],
      ['undefined message', () => api.tabs.sendMessage(T.id, undefined)],
      ['null options', () => api.tabs.sendMessage(T.id, 'null options', null)],
    ];
    for (const [label, call] of calls) {
      t.attempt(label, () => { outcome(t, label, call()); });
      await t.wait(60);
    }
    await t.exec(T, 'top', 'go');
    await t.wait(80);
  },
});

scenario('message_towards_background', {
  // Frames ask the background; other frames do not hear it; the background sees who asks.
  cs(t) {
    t.on(api.runtime.onMessage, message => { t.log('onMessage', { message: desc(message) }); });
    t.fns.ask = () => outcome(t, 'ask', api.runtime.sendMessage({ from: t.ctx }));
  },
  async bg(t) {
    const T = await t.open({ frames: 1 });
    t.on(api.runtime.onMessage, (message, sender, sendResponse) => {
      t.log('onMessage', {
        message: desc(message), keys: Object.keys(sender).filter(k => k !== 'envType' && k !== 'contextId').sort().join(' '),
        frame: Object.keys(T.frames).find(name => T.frames[name].frameId === sender.frameId), sameTab: sender.tab.id === T.id, sameOrigin: sender.origin === BUILD.base,
      });
      sendResponse('told ' + message.from);
    });
    for (const who of ['f1', 'top']) {
      await t.exec(T, who, 'ask');
      await t.wait(100);
    }
  },
});
