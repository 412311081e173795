// Around a scenario in a frame of a page, or in a page of the extension.
'use strict';
(function () {
  var replay = globalThis.replay;
  delete globalThis.replay;
  var q = new URLSearchParams(location.search);
  var s = q.get('s'), run = q.get('r'), ctx = q.get('f') || 'top';
  if (!s || !SCEN[s]) return;

  Ctx.prototype.flush = function () {
    this.sched = false;
    var events = (this.unsent || this.buf).splice(0);
    if (events.length) replay.record(JSON.stringify(events));
  };

  var inExtension = location.protocol !== 'http:';
  var t = new Ctx(ctx, run, inExtension ? BUILD.base : location.origin);
  t.q = q;
  globalThis.__T = t;
  globalThis.logOfScenario = function (event, fields) { t.log(event, fields); };
  globalThis.__H = { call: function (fn, args) { return t.fns[fn].apply(null, args || []); } };
  addEventListener('pagehide', function (e) { if (SCEN[s].logPagehide) t.log('pagehide', { persisted: e.persisted }); t.flush(); });
  if (SCEN[s].logPagehide) addEventListener('pageshow', function (e) { t.log('pageshow', { persisted: e.persisted }); });
  var main = inExtension ? SCEN[s].page : SCEN[s].cs;
  if (main) main(t);
  function ready() { replay.ready(ctx); }
  if (document.readyState === 'complete') ready(); else addEventListener('load', ready);
})();
