'use strict';
// The order of what the background hears of a tab: of its ports' ends, of `tabs` and of `webNavigation`.

const closing = {
  watch(t, T) {
    const short = url => url && url.replace(/\?.*/, '');
    const on = (event, name, is) => t.on(event, details => { if (is(details)) t.log(name, { frame: details.frameId, url: short(details.url), status: details.status }); });
    t.on(api.tabs.onRemoved, (id, info) => { if (id === T.id) t.log('tabs.onRemoved', { info: desc({ isWindowClosing: info.isWindowClosing }) }); });
    t.on(api.tabs.onUpdated, (id, change) => {
      if (id === T.id) t.log('tabs.onUpdated', { ch: desc(Object.keys(change).sort().map(key => key + '=' + short(String(change[key]))).join(' ')) });
    });
    for (const name of ['onBeforeNavigate', 'onCommitted', 'onDOMContentLoaded', 'onCompleted', 'onErrorOccurred', 'onHistoryStateUpdated']) {
      on(api.webNavigation[name], 'webNavigation.' + name, details => details.tabId === T.id);
    }
  },

  listen(t) {
    t.on(api.runtime.onConnect, port => {
      t.log('onConnect', { name: port.name });
      port.onDisconnect.addListener(() => t.log('onDisconnect', { name: port.name, lastError: lastErr() }));
    });
  },

  connect: count => t => { t.ports = Array.from({ length: count }, (_, i) => api.runtime.connect({ name: t.ctx + '#' + i })); },
};

scenario('closing_tab', {
  cs: closing.connect(5),
  async bg(t) {
    closing.listen(t);
    const T = await t.open({ frames: 1 });
    closing.watch(t, T);
    for (let i = 0; i < 3; i++) {
      const port = api.tabs.connect(T.id, { name: 'out#' + i });
      port.onDisconnect.addListener(() => t.log('onDisconnect', { name: 'out#' + i, lastError: lastErr(), portError: port.error ? errText(port.error) : null }));
    }
    await t.wait(300);
    t.log('act: tabs.remove');
    await api.tabs.remove(T.id);
    t.log('tabs.remove resolved');
    await t.wait(600);
  },
});

scenario('closing_navigation', {
  cs: closing.connect(5),
  async bg(t) {
    closing.listen(t);
    const T = await t.open({ frames: 1 });
    closing.watch(t, T);
    await t.wait(300);
    t.log('act: tabs.update');
    await api.tabs.update(T.id, { url: BUILD.base + '/plain' });
    t.log('tabs.update resolved');
    await t.wait(900);
  },
});

scenario('closing_many_ports', {
  cs(t) { if (t.ctx === 'top') t.ports = Array.from({ length: 10 }, (_, i) => api.runtime.connect({ name: '#' + i })); },
  async bg(t) {
    closing.listen(t);
    const T = await t.open();
    closing.watch(t, T);
    await t.wait(300);
    t.log('act: tabs.remove');
    await api.tabs.remove(T.id);
    t.log('tabs.remove resolved');
    await t.wait(500);
  },
});
