// Runs a scenario's `sleeper` in the background of an extension of its own, each time that it starts.
'use strict';
(function () {
  var replay = globalThis.replay;
  delete globalThis.replay;
  Ctx.prototype.flush = function () {
    this.sched = false;
    var events = (this.unsent || this.buf).splice(0);
    if (events.length) replay.record(JSON.stringify(events));
  };
  var t = new Ctx('sleeper', BUILD.scenario, BUILD.base);
  t.log('start');
  SCEN[BUILD.scenario].sleeper(t);
})();
