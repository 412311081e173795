'use strict';
// Runs a scenario's `sleeper` in the background of an extension of its own, each time that it starts.
(() => {
  const t = new Ctx('sleeper', BUILD.scenario, BUILD.base);
  t.log('start');
  SCEN[BUILD.scenario].sleeper(t);
})();
