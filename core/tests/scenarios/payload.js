'use strict';
// What arrives of what is posted.

scenario('payload_towards_background', {
  cs(t) {
    const values = () => [
      ['undefined', undefined], ['NaN', NaN], ['minus zero', -0], ['big integer', 12n], ['date', new Date(86400000)],
      ['map', new Map([['k', 'v']])], ['set', new Set([1, 2])], ['bytes', new Uint8Array([7, 8, 9])], ['buffer', new ArrayBuffer(3)],
      ['regular expression', /x+/gi], ['error', new TypeError('t')], ['function', () => 1], ['symbol', Symbol('s')],
      ['object of such', { u: undefined, n: NaN, f() {}, d: new Date(0), list: [undefined, NaN, -0] }],
      ['toJSON', { toJSON: () => ({ from: 'toJSON' }) }],
      ['cycle', (() => { const a = []; a.push(a); return a; })()],
      ['holes', [, 1, , 2]], ['unpaired surrogate', '\ud83d'], ['wrapped', [new String('w'), new Number(1), new Boolean(true)]],
      ['getter', { get g() { return 'got'; } }], ['throwing getter', { get g() { throw new RangeError('no'); } }],
    ];
    t.fns.go = () => {
      const port = t.track(api.runtime.connect({ name: 'values' }), 'up');
      for (const [label, value] of values()) t.attempt(label, () => port.postMessage(value));
      port.postMessage('end');
    };
  },
  async bg(t) {
    t.receive();
    const T = await t.open();
    await t.exec(T, 'top', 'go');
    await t.wait(250);
  },
});

scenario('payload_snapshot', {
  // A message is taken as it is when it is posted.
  cs(t) { t.receive(); },
  async bg(t) {
    const T = await t.open();
    const port = api.tabs.connect(T.id);
    const message = { list: [1, 2], inner: { word: 'before' } };
    port.postMessage(message);
    message.list.push(3);
    message.inner.word = 'after';
    port.postMessage(message);
    delete message.list;
    await t.wait(200);
  },
});

scenario('payload_one_object', {
  // The listeners of one context are handed one object, those of another frame another.
  cs(t) {
    t.on(api.runtime.onConnect, port => {
      let seen;
      port.onMessage.addListener(message => { seen = message; message.mark = 'by the first listener of ' + t.ctx; });
      port.onMessage.addListener(message => t.log('second listener', { same: message === seen, message: desc(message) }));
    });
  },
  async bg(t) {
    const T = await t.open({ frames: 1 });
    const message = { original: true };
    api.tabs.connect(T.id).postMessage(message);
    await t.wait(200);
    t.log('sender', { message: desc(message) });
  },
});

scenario('payload_lengths', {
  // Lengths around those of buffers, there and back.
  cs(t) {
    t.on(api.runtime.onConnect, port => port.onMessage.addListener(message => {
      t.log('heard', { length: message.length, whole: /^(.)\1*$/u.test(message), letter: message[0] });
      port.postMessage(message);
    }));
  },
  async bg(t) {
    const T = await t.open();
    const port = api.tabs.connect(T.id);
    for (const letter of ['x', 'é', '東']) {
      for (const length of [1, 55, 56, 57, 160, 161, 4096, 65536, 500000]) {
        const message = letter.repeat(length);
        const answered = new Promise(resolve => port.onMessage.addListener(function hear(answer) {
          port.onMessage.removeListener(hear);
          resolve(answer);
        }));
        port.postMessage(message);
        t.log('back', { length, same: await answered === message });
      }
    }
  },
});
