'use strict';
// Backgrounds that are stopped when they are idle, and started by what comes. Each scenario has an extension of its own,
// the sleeper; `bg` runs in the recorder's, which is never stopped.

const LONG = 400000;

// Answers whatever comes with how much it was asked since its start.
function answering(t) {
  let count = 0;
  api.runtime.onConnectExternal.addListener(port => {
    t.log('onConnect', { name: port.name });
    port.onMessage.addListener(message => {
      t.log('message', { message });
      port.postMessage(`${message} ${++count}`);
    });
    port.onDisconnect.addListener(() => t.log('disconnect', { name: port.name, lastError: lastErr() }));
  });
  api.runtime.onMessageExternal.addListener((message, sender, respond) => {
    t.log('question', { message });
    respond(`${message} ${++count}`);
  });
  api.runtime.onSuspend.addListener(() => t.log('onSuspend'));
  api.runtime.onSuspendCanceled.addListener(() => t.log('onSuspendCanceled'));
}

function ask(t, question) {
  return api.runtime.sendMessage(t.sleeper, question)
    .then(answer => t.log('answer', { question, answer: desc(answer) }), error => t.log('no answer', { question, error: errText(error) }));
}

const connect = (t, name) => t.track(api.runtime.connect(t.sleeper, { name }), name);
const heard = (port, wanted) => new Promise(resolve => port.onMessage.addListener(message => { if (message === wanted) resolve(); }));
const ended = port => new Promise(resolve => port.onDisconnect.addListener(resolve));

scenario('dormant_connect_starts', {
  // What is sent until it has started comes in order; it starts once.
  timeout: LONG,
  sleeper: answering,
  async bg(t) {
    await t.rest();
    const port = connect(t, 'first');
    const all = heard(port, 'c 3');
    for (const message of ['a', 'b', 'c']) port.postMessage(message);
    await all;
    const other = connect(t, 'second');
    other.postMessage('d');
    await heard(other, 'd 4');
    await ask(t, 'question');
  },
});

scenario('dormant_order_of_all', {
  // The same in one task, on two ports and by a message.
  timeout: LONG,
  sleeper: answering,
  async bg(t) {
    await t.rest();
    const port = connect(t, 'first');
    const all = heard(port, 'c 4');
    for (const message of ['a', 'b', 'c']) port.postMessage(message);
    const other = connect(t, 'second');
    const late = heard(other, 'd 5');
    const asked = ask(t, 'question');
    other.postMessage('d');
    await Promise.race([Promise.all([all, late, asked]), t.wait(500)]);
  },
});

scenario('dormant_message_starts', {
  timeout: LONG,
  sleeper: answering,
  async bg(t) {
    await t.rest();
    await ask(t, 'question');
    await ask(t, 'another');
    await t.rest();
    await ask(t, 'one more');
  },
});

scenario('dormant_port_of_the_idle', {
  // An open port does not keep it awake. The port ends, and the next one starts it.
  timeout: LONG,
  sleeper: answering,
  async bg(t) {
    await t.rest();
    const port = connect(t, 'first');
    const end = ended(port);
    port.postMessage('a');
    await heard(port, 'a 1');
    await end;
    t.attempt('post', () => port.postMessage('after'));
    const next = connect(t, 'next');
    next.postMessage('b');
    await heard(next, 'b 1');
  },
});

scenario('dormant_messages_keep_awake', {
  // Each message begins the time anew.
  timeout: LONG,
  sleeper: answering,
  async bg(t) {
    await t.rest();
    const port = connect(t, 'first');
    const end = ended(port);
    for (let i = 1; i <= 4; i++) {
      port.postMessage('a');
      await heard(port, 'a ' + i);
      if (i < 4) await t.wait(0.4 * t.idle);
    }
    await end;
  },
});

scenario('dormant_own_messages', {
  // What it posts itself does not begin the time anew.
  timeout: LONG,
  sleeper(t) {
    api.runtime.onConnectExternal.addListener(port => {
      let count = 0;
      const timer = setInterval(() => {
        port.postMessage(++count);
        if (count === 4) clearInterval(timer);
      }, 0.4 * Number(port.name));
    });
    api.runtime.onSuspend.addListener(() => t.log('onSuspend'));
  },
  async bg(t) {
    await t.rest();
    const port = t.track(api.runtime.connect(t.sleeper, { name: String(t.idle) }), 'ticking');
    await ended(port);
  },
});

scenario('dormant_reconnect_at_the_end', {
  // Who connects as soon as it hears the end reaches the next start, not the one that goes.
  timeout: LONG,
  sleeper: answering,
  async bg(t) {
    await t.rest();
    const port = connect(t, 'first');
    port.postMessage('a');
    const next = ended(port).then(() => {
      const next = connect(t, 'next');
      next.postMessage('b');
      return heard(next, 'b 1');
    });
    await next;
  },
});

scenario('dormant_unanswered_message', {
  // Whether a message that it has not answered keeps it awake.
  timeout: LONG,
  sleeper(t) {
    let count = 0, kept;
    api.runtime.onMessageExternal.addListener((message, sender, respond) => {
      t.log('question', { message });
      count++;
      if (message === 'keep') {
        kept = respond;
        return true;
      }
      respond(`${message} ${count}`);
      if (kept) kept('at last');
    });
    api.runtime.onSuspend.addListener(() => t.log('onSuspend'));
  },
  async bg(t) {
    await t.rest();
    ask(t, 'keep');
    await t.past();
    t.log('later');
    await ask(t, 'question');
    await t.wait(100);
  },
});

scenario('dormant_unanswered_own_message', {
  // And one of its own that has no answer.
  timeout: LONG,
  sleeper(t) {
    let count = 0;
    api.runtime.onMessageExternal.addListener((message, sender, respond) => {
      t.log('question', { message });
      respond(`${message} ${++count}`);
      if (message !== 'ask') return;
      setTimeout(() => api.runtime.sendMessage(sender.id, 'and you?').then(() => {}, error => t.log('no answer', { error: errText(error) })), 100);
    });
    api.runtime.onSuspend.addListener(() => t.log('onSuspend'));
  },
  async bg(t) {
    const kept = [];
    t.on(api.runtime.onMessageExternal, (message, sender, respond) => {
      t.log('question', { message });
      kept.push(respond);
      return true;
    });
    await t.rest();
    await ask(t, 'ask');
    await t.past();
    t.log('later');
    await ask(t, 'question');
    for (const respond of kept) respond('at last');
  },
});

scenario('dormant_last_words', {
  // What it says in onSuspend, and what it is asked because of that.
  timeout: LONG,
  sleeper(t) {
    let count = 0;
    api.runtime.onConnectExternal.addListener(port => {
      port.onMessage.addListener(message => t.log('message', { message }));
      api.runtime.onSuspend.addListener(() => {
        t.log('onSuspend');
        port.postMessage('last words');
      });
      api.runtime.onSuspendCanceled.addListener(() => t.log('onSuspendCanceled'));
    });
    api.runtime.onMessageExternal.addListener((message, sender, respond) => {
      t.log('question', { message });
      respond(`${message} ${++count}`);
    });
  },
  async bg(t) {
    await t.rest();
    const port = connect(t, 'first');
    await ask(t, 'before');
    port.onMessage.addListener(() => t.attempt('post', () => port.postMessage('too late')));
    await ended(port);
    await ask(t, 'after');
  },
});

scenario('dormant_without_listeners', {
  // One that listens to nothing is started all the same, and refuses at once.
  timeout: LONG,
  sleeper() {},
  async bg(t) {
    await t.rest();
    await ask(t, 'question');
    await ended(connect(t, 'first'));
  },
});

scenario('dormant_late_listener', {
  // It started without a listener, so it refuses; a moment later it has one.
  timeout: LONG,
  sleeper(t) { setTimeout(() => { t.log('listens'); answering(t); }, 300); },
  async bg(t) {
    await t.rest();
    await ask(t, 'question');
    await t.wait(500);
    await ask(t, 'another');
  },
});
