'use strict';
// How ports end, and what listeners see of it.

scenario('life_closed_by_oneself', {
  cs(t) {
    t.receive();
    t.fns.close = () => {
      const port = t.track(api.runtime.connect({ name: 'up' }), 'up');
      port.postMessage('before');
      t.attempt('disconnect', () => port.disconnect());
      t.attempt('post', () => port.postMessage('after'));
      t.attempt('disconnect again', () => port.disconnect());
      t.log('name', { name: port.name });
    };
  },
  async bg(t) {
    t.receive();
    const T = await t.open();
    const port = t.track(api.tabs.connect(T.id, { name: 'down' }), 'down');
    await t.wait(120);
    port.postMessage('before');
    t.attempt('disconnect', () => port.disconnect());
    t.attempt('post', () => port.postMessage('after'));
    t.attempt('disconnect again', () => port.disconnect());
    await t.wait(100);
    t.attempt('post later', () => port.postMessage('much later'));
    await t.exec(T, 'top', 'close');
    await t.wait(150);
  },
});

scenario('life_all_leave_in_turn', {
  // Three receivers disconnect one after the other.
  cs(t) { t.receive({ onConnect(port) { t.fns.leave = () => { t.attempt('disconnect', () => port.disconnect()); }; } }); },
  async bg(t) {
    const T = await t.open({ frames: 2 });
    const port = t.track(api.tabs.connect(T.id, { name: 'three' }), 'opener');
    await t.wait(150);
    for (const who of ['f2', 'top', 'f1']) {
      await t.exec(T, who, 'leave');
      await t.wait(120);
      t.attempt('post after ' + who, () => port.postMessage('after ' + who));
      await t.wait(80);
    }
  },
});

scenario('life_words_before_leaving', {
  // What a receiver says before it disconnects arrives; what another says after that does not.
  cs(t) {
    t.on(api.runtime.onConnect, port => {
      port.onDisconnect.addListener(() => t.log('end'));
      t.fns.leave = () => {
        for (let i = 0; i < 50; i++) port.postMessage(i);
        port.disconnect();
      };
      t.fns.say = () => { t.attempt('post', () => port.postMessage('from ' + t.ctx)); };
    });
  },
  async bg(t) {
    const T = await t.open({ frames: 2 });
    const port = api.tabs.connect(T.id, { name: 'last words' });
    const heard = [];
    port.onMessage.addListener(message => heard.push(message));
    port.onDisconnect.addListener(() => t.log('end', { heard: heard.length, inOrder: heard.every((x, i) => x === i), lastError: lastErr() }));
    await t.wait(150);
    await t.exec(T, 'f2', 'leave');
    await t.wait(150);
    await t.exec(T, 'f1', 'say');
    await t.wait(120);
    t.log('summary', { heard: heard.length });
  },
});

scenario('life_disconnect_between_messages', {
  // After its own disconnect() a context hears no more of the port, whatever is on its way.
  cs(t) {
    t.on(api.runtime.onConnect, port => {
      port.onMessage.addListener(message => {
        t.log('A', { message });
        if (message === 1) port.disconnect();
      });
      port.onMessage.addListener(message => t.log('B', { message }));
      port.onDisconnect.addListener(() => t.log('end'));
    });
  },
  async bg(t) {
    const T = await t.open();
    const port = t.track(api.tabs.connect(T.id), 'opener');
    for (let i = 0; i < 5; i++) port.postMessage(i);
    await t.wait(200);
  },
});

scenario('life_listener_throws', {
  // An exception stays within its listener.
  cs(t) {
    addEventListener('error', event => t.log('window error', { message: event.message }));
    t.on(api.runtime.onConnect, port => {
      port.onMessage.addListener(message => { t.log('A', { message }); throw new Error('from A'); });
      port.onMessage.addListener(message => { t.log('B', { message }); });
      port.onDisconnect.addListener(() => { t.log('end A'); throw new Error('from end A'); });
      port.onDisconnect.addListener(() => t.log('end B'));
    });
  },
  async bg(t) {
    const T = await t.open();
    const port = api.tabs.connect(T.id);
    port.postMessage(1);
    port.postMessage(2);
    await t.wait(120);
    port.disconnect();
    await t.wait(120);
  },
});

scenario('life_late_listener', {
  // Messages do not wait for a listener.
  cs(t) {
    t.on(api.runtime.onConnect, port => {
      const listen = () => port.onMessage.addListener(message => t.log('message', { port: port.name, message }));
      if (port.name === 'microtask') Promise.resolve().then(listen);
      else setTimeout(listen, 200);
    });
    t.fns.up = () => {
      const port = api.runtime.connect({ name: 'up' });
      setTimeout(() => port.onMessage.addListener(message => t.log('message', { port: 'up', message })), 200);
    };
  },
  async bg(t) {
    t.on(api.runtime.onConnect, port => {
      port.postMessage('too early');
      setTimeout(() => port.postMessage('in time'), 300);
    });
    const T = await t.open();
    const ports = ['microtask', 'timer'].map(name => api.tabs.connect(T.id, { name }));
    for (const port of ports) for (const word of ['one', 'two']) port.postMessage(word);
    await t.wait(300);
    for (const port of ports) port.postMessage('three');
    await t.exec(T, 'top', 'up');
    await t.wait(300);
    await t.wait(150);
  },
});

scenario('life_listener_after_end', {
  // The end is told once; listeners of later do not hear it.
  cs(t) {
    t.on(api.runtime.onConnect, port => {
      if (port.name === 'touched') port.onMessage.addListener(() => {});
      t.fns[port.name] = () => {
        t.attempt('add to onDisconnect', () => port.onDisconnect.addListener(() => t.log('heard after all')));
        t.attempt('add to onMessage', () => port.onMessage.addListener(() => {}));
        t.attempt('post', () => port.postMessage(1));
        t.attempt('name', () => port.name);
      };
    });
  },
  async bg(t) {
    const T = await t.open();
    for (const name of ['touched', 'untouched']) {
      const port = api.tabs.connect(T.id, { name });
      await t.wait(100);
      port.disconnect();
      await t.wait(100);
      await t.exec(T, 'top', name);
      await t.wait(60);
    }
    const unheard = api.tabs.connect(99999998);
    await t.wait(120);
    t.attempt('add to onDisconnect', () => unheard.onDisconnect.addListener(() => t.log('heard after all')));
    t.attempt('post', () => unheard.postMessage(1));
    await t.wait(60);
  },
});

scenario('life_never_synchronous', {
  // Ping-pong: a post returns before anybody hears it.
  cs(t) {
    t.on(api.runtime.onConnect, port => {
      let depth = 0;
      port.onMessage.addListener(n => {
        t.log('ping', { ball: n, depth });
        depth++;
        port.postMessage(n + 1);
        depth--;
      });
    });
  },
  async bg(t) {
    const T = await t.open();
    const port = api.tabs.connect(T.id);
    let depth = 0;
    port.onMessage.addListener(n => {
      t.log('pong', { ball: n, depth });
      if (n >= 9) return;
      depth++;
      port.postMessage(n + 1);
      depth--;
    });
    port.postMessage(0);
    t.log('returned');
    await t.wait(200);
  },
});

scenario('life_methods_alone', {
  // Methods taken off the port, and calls with too few or too many arguments.
  cs(t) { t.receive(); },
  async bg(t) {
    const T = await t.open();
    const port = t.track(api.tabs.connect(T.id), 'opener');
    const { postMessage, disconnect } = port;
    await t.wait(100);
    t.attempt('postMessage alone', () => postMessage('alone'));
    t.attempt('postMessage on another object', () => postMessage.call({}, 'elsewhere'));
    t.attempt('no argument', () => port.postMessage());
    t.attempt('two arguments', () => port.postMessage('first', 'second'));
    await t.wait(80);
    t.attempt('disconnect with argument', () => disconnect.call(port, 'bye'));
    await t.wait(80);
    const other = t.track(api.tabs.connect(T.id), 'other');
    await t.wait(80);
    t.attempt('disconnect alone', () => disconnect.call(undefined));
    t.attempt('post on the other', () => other.postMessage('still open'));
    await t.wait(80);
    other.disconnect();
    await t.wait(60);
  },
});

scenario('life_connect_listener_list', {
  // The list of runtime.onConnect listeners while it is being gone through.
  cs(t) {
    const event = api.runtime.onConnect;
    const added = port => t.log('added', { name: port.name });
    const removed = port => t.log('removed', { name: port.name });
    const first = port => {
      t.log('first', { name: port.name });
      event.removeListener(removed);
      event.addListener(added);
    };
    t.on(event, first);
    event.addListener(first);
    t.on(event, removed);
    t.log('has', { first: event.hasListener(first), removed: event.hasListener(removed), added: event.hasListener(added) });
  },
  async bg(t) {
    const T = await t.open();
    for (const name of ['one', 'two']) {
      t.track(api.tabs.connect(T.id, { name }), name);
      await t.wait(120);
    }
  },
});

scenario('life_methods_of_others', {
  // A method of one port or event, called on another.
  cs(t) { t.receive(); },
  async bg(t) {
    const T = await t.open();
    const one = t.track(api.tabs.connect(T.id, { name: 'one' }), 'one');
    const other = t.track(api.tabs.connect(T.id, { name: 'other' }), 'other');
    await t.wait(120);
    t.attempt('post on the other', () => one.postMessage.call(other, 'whose?'));
    const listener = () => {};
    t.attempt('listen on the other', () => one.onMessage.addListener.call(other.onMessage, listener));
    t.log('listens', { one: one.onMessage.hasListener(listener), other: other.onMessage.hasListener(listener) });
    t.attempt('post on an object', () => one.postMessage.call({}, 'nobody'));
    await t.wait(80);
    t.attempt('disconnect the other', () => one.disconnect.call(other));
    await t.wait(80);
    const { onMessage } = one;
    onMessage.addListener(listener);
    one.disconnect();
    t.log('after the end', { listens: onMessage.hasListener(listener) });
    onMessage.addListener(t.fns.none = () => {});
    t.log('added after the end', { listens: onMessage.hasListener(t.fns.none) });
    await t.wait(60);
  },
});

scenario('life_window_errors', {
  // Which errors a window hears of.
  cs(t) {
    addEventListener('error', event => { t.log('window hears', { message: event.message, kind: Object.prototype.toString.call(event) }); });
    t.on(api.runtime.onConnect, port => {
      port.onMessage.addListener(() => { throw new Error('in a listener'); });
      setTimeout(() => { throw new Error('in a timer'); }, 20);
      addEventListener('custom', () => { throw new Error('in an event'); });
      t.fns.dispatch = () => dispatchEvent(new Event('custom'));
      t.fns.fail = () => { throw new Error('in a call'); };
    });
  },
  async bg(t) {
    self.addEventListener('error', event => { t.log('background hears', { message: event.message }); });
    const T = await t.open();
    const port = api.tabs.connect(T.id, { name: 'p' });
    port.onDisconnect.addListener(() => { throw new Error('at the end'); });
    port.postMessage(1);
    await t.wait(150);
    for (const name of ['dispatch', 'fail']) await t.exec(T, 'top', name).catch(() => {});
    await t.wait(100);
    t.on(api.runtime.onMessage, () => { throw new Error('at a message'); });
    await api.tabs.remove(T.id);
    await t.wait(150);
  },
});
