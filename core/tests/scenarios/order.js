'use strict';
// What comes before what.

var inOrder = list => list.every((x, i) => x === i);

scenario('order_port_and_messages', {
  // One-off messages and posts on an open port keep their common order.
  cs(t) {
    const heard = [];
    t.on(api.runtime.onMessage, message => { heard.push(message); });
    t.on(api.runtime.onConnect, port => port.onMessage.addListener(message => { heard.push(message); }));
    t.fns.summary = () => t.log('summary', { heard: heard.length, inOrder: inOrder(heard) });
  },
  async bg(t) {
    const T = await t.open();
    const port = api.tabs.connect(T.id);
    await t.wait(150);
    for (let i = 0; i < 200; i++) {
      if (i % 2) port.postMessage(i);
      else api.tabs.sendMessage(T.id, i).catch(() => {});
    }
    await t.wait(300);
    await t.exec(T, 'top', 'summary');
  },
});

scenario('order_connects_in_one_task', {
  // Several connections and their messages in one task: the order within each.
  cs(t) {
    const ports = {};
    t.on(api.runtime.onConnect, port => {
      const seen = ports[port.name] = ['connect'];
      port.onMessage.addListener(message => seen.push(message));
      port.onDisconnect.addListener(() => seen.push('end'));
    });
    t.fns.summary = () => {
      t.log('connects', { names: Object.keys(ports).join(' ') });
      for (const name of Object.keys(ports)) t.log(name, { seen: ports[name].join(' ') });
    };
  },
  async bg(t) {
    const T = await t.open();
    for (let i = 0; i < 6; i++) {
      const port = api.tabs.connect(T.id, { name: 'c' + i });
      port.postMessage('a' + i);
      port.postMessage('b' + i);
      if (i % 2) port.disconnect();
    }
    await t.wait(250);
    await t.exec(T, 'top', 'summary');
  },
});

scenario('order_each_frame', {
  // Three frames answer at once: each one's messages are in order.
  cs(t) { t.on(api.runtime.onConnect, port => { for (let i = 0; i < 100; i++) port.postMessage([t.ctx, i]); }); },
  async bg(t) {
    const T = await t.open({ frames: 2 });
    const heard = { f1: [], f2: [], top: [] };
    const port = api.tabs.connect(T.id);
    port.onMessage.addListener(([who, i]) => heard[who].push(i));
    await t.wait(300);
    for (const who of Object.keys(heard)) t.log(who, { heard: heard[who].length, inOrder: inOrder(heard[who]) });
  },
});

scenario('order_ends_among_messages', {
  // On open ports, ends keep their place among the messages of other ports.
  cs(t) { t.receive(); },
  async bg(t) {
    const T = await t.open();
    const a = api.tabs.connect(T.id, { name: 'a' });
    const b = api.tabs.connect(T.id, { name: 'b' });
    const c = api.tabs.connect(T.id, { name: 'c' });
    await t.wait(150);
    c.postMessage('c first');
    a.postMessage('a first');
    a.disconnect();
    b.postMessage('b first');
    c.postMessage('c second');
    b.disconnect();
    c.disconnect();
    await t.wait(200);
  },
});

scenario('order_causality_of_an_end', {
  // The top frame posts to the background, then removes a frame: the background hears the end of that frame's port.
  cs(t) {
    t.fns.connect = () => {
      const port = api.runtime.connect({ name: t.ctx });
      t.fns.remove = () => {
        port.postMessage('about to remove it');
        document.getElementById('f1').remove();
        port.postMessage('removed it');
      };
    };
  },
  async bg(t) {
    t.receive();
    const T = await t.open({ frames: 1 });
    for (const who of ['top', 'f1']) {
      await t.exec(T, who, 'connect');
      await t.wait(100);
    }
    await t.exec(T, 'top', 'remove');
    await t.wait(200);
  },
});
