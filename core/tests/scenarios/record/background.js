'use strict';
// Takes jobs from the recorder and runs a scenario's `bg` for each.
(() => {
  const ask = async (path, body = {}) => (await fetch(BUILD.base + path, { method: 'POST', body: JSON.stringify(body) })).json();

  class BackgroundCtx extends Ctx {
    constructor(name, run) {
      super('bg', run, BUILD.base);
      Object.assign(this, { name, api, tabs: [], map: [], idle: BUILD.idle, sleeper: BUILD.sleepers[name] });
    }

    // Waits until an idle sleeper is stopped, and has forgotten what it did before.
    async rest() { await this.past(); await ask('/rested', { run: this.run }); }
    past() { return this.wait(1.3 * this.idle + 1000); }

    // From here on, `ready(n)` waits for n frames that have not yet reported.
    expect() { return ask('/expect', { run: this.run }); }
    ready(count) { return ask('/wait-ready', { run: this.run, count }); }

    async openTab(url, active, frames) {
      await this.expect();
      const tab = await api.tabs.create({ url, active });
      this.tabs.push(tab.id);
      if (frames) await this.ready(frames);
      return { id: tab.id, url };
    }

    async open({ frames = 0, query = '', active = true, noWait = false } = {}) {
      const T = await this.openTab(`${BUILD.base}/page?s=${this.name}&r=${this.run}&n=${frames}${query}`, active, noWait ? 0 : frames + 1);
      return noWait ? T : this.scan(T);
    }

    // A page of the extension, in which the scenario's `page` runs.
    openPage(ctx) { return this.openTab(api.runtime.getURL(`page.html?s=${this.name}&r=${this.run}&f=${ctx}`), true, 1); }

    async scan(T) {
      T.frames = {};
      for (const { frameId, documentId, url } of await api.webNavigation.getAllFrames({ tabId: T.id })) {
        T.frames[frameId === 0 ? 'top' : new URL(url).searchParams.get('f') || url] = { frameId, documentId };
      }
      this.map.push({ tabId: T.id, frames: T.frames });
      return T;
    }

    async inject(T, frameId, func, args) {
      const [injected] = await api.scripting.executeScript({ target: { tabId: T.id, frameIds: [frameId] }, func, args });
      return injected && injected.result;
    }
    exec(T, ctx, name, args = []) {
      return this.inject(T, T.frames[ctx].frameId, (name, args) => globalThis.callFunctionOfScenario(name, args), [name, args]);
    }
    rmFrame(T, id) { return this.inject(T, 0, id => { document.getElementById(id).remove(); }, [id]); }
    navFrame(T, id, url) { return this.inject(T, 0, (id, url) => { document.getElementById(id).src = url; }, [id, url]); }
  }

  async function run({ name, run }) {
    const t = new BackgroundCtx(name, run);
    const definition = SCEN[name];
    const outcome = { run };
    try {
      if (definition.skip && definition.skip(IS_FF)) outcome.skipped = true;
      else await Promise.race([definition.bg(t), t.wait(definition.timeout || 15000).then(() => { throw new Error('TIMEOUT'); })]);
    } catch (error) {
      outcome.error = errText(error);
    }
    await t.wait(60);
    t.dead = true;
    for (const undo of t.undo) undo();
    outcome.map = t.map;
    for (const id of t.tabs) await api.tabs.remove(id).catch(() => {});
    t.flush();
    await t.sent;
    await t.wait(30);
    await ask('/done', outcome);
  }

  (async () => {
    await ask('/hello', { browser: navigator.userAgent, id: api.runtime.id, base: api.runtime.getURL('') });
    for (;;) {
      const job = await ask('/next').catch(() => null);
      api.runtime.getPlatformInfo(); // an API call keeps the background from being stopped as idle
      if (job && job.name) await run(job);
    }
  })();
  setInterval(() => api.runtime.getPlatformInfo(), 2000);
})();
