// Around a scenario in the background: what `t` offers there, and the run from its
// beginning to its end. In place of the server of the real browsers' runner stands the
// browser process, which `replay` asks.
'use strict';
(function () {
  var replay = globalThis.replay;
  delete globalThis.replay;
  var base = BUILD.base;

  Ctx.prototype.flush = function () {
    this.sched = false;
    var events = (this.unsent || this.buf).splice(0);
    if (events.length) replay.record(JSON.stringify(events));
  };

  function enhance(t, name) {
    t.tabs = [];
    t.api = api;
    t.map = [];
    t.arg = undefined;
    // What the real browsers' runner asks its server for.
    t.j = async function (path, body) {
      if (path === '/waitready') return { ok: (await replay.waitReady(body.n)) ? 1 : 0 };
      if (path === '/ready') await replay.ready(body.ctx);
      if (path === '/expect') await replay.expect();
      return {};
    };
    // The extension beside, whose background is stopped while it is idle; waits until it is.
    t.idle = BUILD.idle;
    t.sleeper = BUILD.sleeper;
    t.rest = function () { return replay.rest(); };
    t.past = function () { return t.wait(2 * t.idle); };
    t.expect = function () { return t.j('/expect', {}); };
    t.ready = function (n) { return t.j('/waitready', { n: n }); };
    // Opens a page with iframes; resolves when the scripts of all frames have run.
    t.open = async function (options) {
      options = options || {};
      var frames = options.frames || 0;
      await replay.expect();
      var url = base + '/page?s=' + name + '&r=' + t.run + '&n=' + frames + (options.query || '');
      var tab = await api.tabs.create({ url: url, active: options.active !== false });
      t.tabs.push(tab.id);
      if (!options.noWait) await replay.waitReady(frames + 1);
      var T = { id: tab.id, url: url };
      if (!options.noWait) await t.scan(T);
      return T;
    };
    // Opens a page of the extension, in which the scenario's `page` runs.
    t.openPage = async function (ctx) {
      await replay.expect();
      var url = api.runtime.getURL('page.html?s=' + name + '&r=' + t.run + '&f=' + ctx);
      var tab = await api.tabs.create({ url: url, active: true });
      t.tabs.push(tab.id);
      await replay.waitReady(1);
      return { id: tab.id, url: url };
    };
    t.scan = async function (T) {
      var frames = await api.webNavigation.getAllFrames({ tabId: T.id });
      T.frames = {};
      frames.forEach(function (frame) {
        var name = frame.frameId === 0 ? 'top' : (new URL(frame.url).searchParams.get('f') || frame.url);
        T.frames[name] = { frameId: frame.frameId, documentId: frame.documentId };
      });
      t.map.push({ tabId: T.id, frames: T.frames });
      return T;
    };
    async function execute(T, frameId, func, args) {
      var results = await api.scripting.executeScript({ target: { tabId: T.id, frameIds: [frameId] }, func: func, args: args });
      return results && results[0] && results[0].result;
    }
    t.exec = function (T, ctx, fn, args) {
      return execute(T, T.frames[ctx].frameId, function (fn, args) { return globalThis.__H.call(fn, args); }, [fn, args || []]);
    };
    t.rmFrame = async function (T, ctx) {
      await execute(T, 0, function (id) { document.getElementById(id).remove(); }, [ctx]);
    };
    t.navFrame = async function (T, ctx, url) {
      await execute(T, 0, function (id, url) { document.getElementById(id).src = url; }, [ctx, url]);
    };
  }

  async function run() {
    // It must not be stopped itself.
    if (BUILD.idle) setInterval(function () { api.runtime.getPlatformInfo(); }, BUILD.idle / 10);
    var job = await replay.scenario();
    var t = new Ctx('bg', job.run, base);
    enhance(t, job.name);
    var report = { run: job.run, id: api.runtime.id, base: api.runtime.getURL(''), map: t.map };
    try {
      var scenario = SCEN[job.name];
      if (!scenario) throw new Error('no scenario ' + job.name);
      if (scenario.skip && scenario.skip(IS_FF)) {
        report.skipped = true;
      } else {
        var timer;
        var timeout = new Promise(function (_, reject) {
          timer = setTimeout(function () { reject(new Error('TIMEOUT')); }, scenario.timeout || 15000);
        });
        report.result = await Promise.race([scenario.bg(t), timeout]);
        clearTimeout(timer);
      }
    } catch (e) {
      report.error = errText(e) + '\n' + (e && e.stack || '');
    }
    await t.wait(60);
    t.dead = true;
    t.undo.forEach(function (f) { try { f(); } catch (e) { } });
    for (var id of t.tabs) { try { await api.tabs.remove(id); } catch (e) { } }
    t.flush();
    await t.wait(30);
    replay.done(JSON.stringify(report));
  }
  run();
})();
