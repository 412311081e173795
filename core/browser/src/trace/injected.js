// A file that scenarios inject: it logs and listens, under the number of its run in this world.
__T.k = (__T.k || 0) + 1;
(function (k) {
  __T.log('injected', { k: k });
  api.runtime.onConnect.addListener(function (p) {
    __T.log('onConnect', { k: k, name: p.name });
    p.onMessage.addListener(function (m) { __T.log('message', { k: k, msg: m }); });
  });
  api.runtime.onMessage.addListener(function (m, s, r) { __T.log('onMessage', { k: k }); r('answer of ' + k); });
})(__T.k);
'result ' + __T.k;
