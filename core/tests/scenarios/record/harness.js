'use strict';
// What a scenario has at hand, in every context it runs in.

var IS_FF = navigator.userAgent.includes('Firefox/');
var api = IS_FF ? browser : chrome;
var SCEN = Object.create(null);
var scenario = (name, definition) => { SCEN[name] = definition; };

// A description of any value that survives JSON. It goes by tags, for the value may be of another realm.
function desc(value, depth = 0) {
  const ofType = {
    undefined: () => '<undefined>',
    boolean: () => value,
    bigint: () => `<bigint ${value}>`,
    function: () => '<function>',
    symbol: () => '<symbol>',
    number: () => {
      if (Number.isNaN(value)) return '<NaN>';
      if (Object.is(value, -0)) return '<-0>';
      return Number.isFinite(value) ? value : value > 0 ? '<+Inf>' : '<-Inf>';
    },
    string: () => value.length <= 300 ? value : `<string len=${value.length} head=${JSON.stringify(value.slice(0, 8))}>`,
  }[typeof value];
  if (ofType) return ofType();
  if (value === null) return null;

  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (depth > 6) return `<deep ${tag}>`;
  switch (tag) {
    case 'Array': return Array.from(value, (item, i) => i in value ? desc(item, depth + 1) : '<hole>');
    case 'Date': return `<Date ${Number.isNaN(+value) ? 'invalid' : value.toISOString()}>`;
    case 'RegExp': return `<RegExp ${value}>`;
    case 'Map': case 'Set': return `<${tag} size=${value.size}>`;
    case 'ArrayBuffer': return `<ArrayBuffer ${value.byteLength}>`;
    case 'Error': return `<Error ${errText(value)}>`;
    case 'Object': break;
    default: {
      if (tag.endsWith('Array')) return `<${tag} ${value.length}>`;
      const keys = Object.keys(value).slice(0, 5).join();
      return `<${tag}${keys && ' keys=' + keys}>`;
    }
  }
  const described = {};
  for (const key of Object.keys(value)) {
    let field;
    try { field = desc(value[key], depth + 1); } catch (error) { field = `<throws ${error.message}>`; }
    described[key === '__proto__' ? '<key __proto__>' : key] = field;
  }
  return described;
}

function allKeys(object) {
  const keys = new Set(Object.getOwnPropertyNames(object));
  for (const key in object) keys.add(key);
  return [...keys].sort();
}

// The type of each member.
function keysTypes(object) {
  if (object === undefined || object === null) return desc(object);
  return Object.fromEntries(allKeys(object).map(key => [key, object[key] === null ? 'null' : typeof object[key]]));
}

// Every enumerable member, with type and value.
function full(object) {
  if (object === undefined || object === null) return desc(object);
  const keys = [];
  for (const key in object) keys.push(key);
  return Object.fromEntries(keys.sort().map(key => {
    const member = object[key];
    return [key, member && typeof member === 'object' ? full(member) : { type: typeof member, value: desc(member) }];
  }));
}

function lastErr() {
  const error = api.runtime.lastError;
  return error ? error.message ?? String(error) : null;
}

function errText(error) {
  if (error === null || error === undefined) return desc(error);
  return typeof error === 'object' ? `${error.name || '?'}: ${error.message}` : String(error);
}

// The `t` of a scenario: one for each context it runs in.
class Ctx {
  constructor(ctx, run, base) {
    Object.assign(this, { ctx, run, base, n: 0, fns: {}, undo: [], dead: false, unsent: [], sent: Promise.resolve() });
  }

  log(ev, fields = {}) {
    if (this.dead) return;
    const event = { t: performance.timeOrigin + performance.now(), ctx: this.ctx, n: this.n++, ev };
    for (const [key, value] of Object.entries(fields)) if (value !== undefined) event[key === 'n' ? 'count' : key] = value;
    if (this.unsent.push(event) === 1) queueMicrotask(() => this.flush());
  }

  // Sends what was logged; it may be the last thing that this context does.
  flush() {
    if (!this.unsent.length) return;
    const body = JSON.stringify({ run: this.run, events: this.unsent.splice(0) });
    const send = async keepalive => { await (await fetch(this.base + '/events', { method: 'POST', body, keepalive })).text(); };
    const sending = send(this.ctx !== 'bg' && body.length < 50000).catch(() => send(false)).catch(() => {});
    this.sent = Promise.all([this.sent, sending]);
  }

  wait(ms) { return new Promise(resolve => setTimeout(resolve, ms)); }

  // Listens until the scenario is over.
  on(event, listener) {
    event.addListener(listener);
    this.undo.push(() => event.removeListener(listener));
  }

  // Calls `fn` and logs what it returned or threw.
  attempt(what, fn) {
    let result;
    try { result = fn(); } catch (error) { this.log('throw', { what, error: errText(error) }); return undefined; }
    const port = result && result.postMessage;
    this.log('ok', { what, ret: result === undefined ? undefined : port ? `<Port name=${JSON.stringify(desc(result.name))}>` : desc(result) });
    return result;
  }

  // Logs the messages and the end of a port.
  track(port, label = 'p', { noMessage, noDisconnect, onMessage, onDisconnect } = {}) {
    if (!noMessage) port.onMessage.addListener(message => {
      this.log('message', { port: label, msg: desc(message) });
      if (onMessage) onMessage(message, port);
    });
    if (!noDisconnect) port.onDisconnect.addListener(ended => {
      const portError = !ended || !('error' in ended) ? '<no key>' : ended.error ? errText(ended.error) : desc(ended.error);
      this.log('disconnect', { port: label, lastError: lastErr(), portError });
      if (onDisconnect) onDisconnect(ended);
    });
    return port;
  }

  // Accepts and tracks every port: r1, r2 …
  receive(options = {}) {
    let count = 0;
    this.on(api.runtime.onConnect, port => {
      const label = 'r' + ++count;
      this.log('onConnect', { port: label, name: desc(port.name) });
      this.track(port, label, options);
      if (options.onConnect) options.onConnect(port, label);
    });
  }
}
