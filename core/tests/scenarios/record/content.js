'use strict';
// Runs a scenario's `cs` in a frame of a page, or its `page` in a page of the extension.
(() => {
  const q = new URLSearchParams(location.search);
  const definition = SCEN[q.get('s')];
  if (!definition) return;
  const inExtension = location.protocol !== 'http:';
  const base = inExtension ? BUILD.base : location.origin;
  const t = new Ctx(q.get('f') || 'top', q.get('r'), base);
  t.q = q;
  globalThis.callFunctionOfScenario = (name, args) => t.fns[name](...args);
  globalThis.logOfScenario = (event, fields) => t.log(event, fields);

  for (const type of ['pagehide', 'pageshow']) addEventListener(type, event => {
    if (definition.logPagehide) t.log(type, { persisted: event.persisted });
    t.flush();
  });
  const main = inExtension ? definition.page : definition.cs;
  if (main) main(t);

  const ready = () => fetch(base + '/ready', { method: 'POST', body: JSON.stringify({ run: t.run, ctx: t.ctx }) }).catch(() => {});
  if (document.readyState === 'complete') ready(); else addEventListener('load', ready);
})();
