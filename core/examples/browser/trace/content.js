// Around a scenario in a frame of the page.
'use strict';
(function () {
  var replay = globalThis.replay;
  delete globalThis.replay;
  var q = new URLSearchParams(location.search);
  var s = q.get('s'), run = q.get('r'), ctx = q.get('f') || 'top';
  if (!s || !SCEN[s]) return;

  Ctx.prototype.flush = function () {
    this.sched = false;
    var events = this.buf;
    this.buf = [];
    if (events.length) replay.record(JSON.stringify(events));
  };

  var t = new Ctx(ctx, run, location.origin);
  t.q = q;
  globalThis.__T = t;
  globalThis.__H = { call: function (fn, args) { return t.fns[fn].apply(null, args || []); } };
  addEventListener('pagehide', function (e) { if (SCEN[s].logPagehide) t.log('pagehide', { persisted: e.persisted }); t.flush(); });
  if (SCEN[s].logPagehide) addEventListener('pageshow', function (e) { t.log('pageshow', { persisted: e.persisted }); });
  if (SCEN[s].cs) SCEN[s].cs(t);
  function ready() { replay.ready(ctx); }
  if (document.readyState === 'complete') ready(); else addEventListener('load', ready);
})();
