#!/usr/bin/env node
// Records what a real browser does in the scenarios:
//   node record.mjs --browser chromium|firefox [--runs 3] [--only PREFIX,…] [--scenarios DIR] [--out DIR] [--program PATH]
// With --webkit PATH it is the browser of core/webkit, in the profile of the other: core/webkit/conformance runs that.
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as browsers from './browsers.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    browser: { type: 'string', default: 'chromium' },
    program: { type: 'string' },
    webkit: { type: 'string' },
    runs: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    scenarios: { type: 'string', default: path.dirname(here) },
    out: { type: 'string' },
  },
});
const kind = options.browser;
const out = options.out ?? path.join(path.dirname(here), 'traces', kind);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'record-'));
const files = fs.readdirSync(options.scenarios).filter(file => file.endsWith('.js')).sort();
const names = files
  .flatMap(file => [...fs.readFileSync(path.join(options.scenarios, file), 'utf8').matchAll(/^scenario\('([^']+)'/gm)].map(found => found[1]))
  .filter(name => options.only.split(',').some(prefix => name.startsWith(prefix)))
  // That browser never stops a background.
  .filter(name => !(options.webkit && name.startsWith('dormant_')));

// ---- pages, and what the extension reports

const runs = new Map();
const runOf = name => runs.get(name) ?? runs.set(name, { events: [], ready: new Set(), onReady: () => {}, done: () => {} }).get(name);
const jobs = [];
let job, onJob, onHello;
const hello = new Promise(resolve => { onHello = resolve; });

function page(q) {
  const passedOn = ['s', 'r'].map(key => `${key}=${q.get(key)}`).join('&');
  const frame = id => `<iframe id="${id}" src="/frame?${passedOn}&f=${id}${q.has('x') ? '&x=' + q.get('x') : ''}"></iframe>`;
  return `<!doctype html><meta charset="utf-8"><title>page ${q.get('s')}</title><p>page</p>` +
    Array.from({ length: Number(q.get('n')) }, (_, i) => frame(`f${i + 1}`)).join('');
}
const pages = { '/page': page, '/frame': () => '<!doctype html><p>frame', '/plain': () => '<!doctype html><title>plain</title>plain' };

const soon = (ms, register) => new Promise(resolve => { const timer = setTimeout(resolve, ms); register(value => { clearTimeout(timer); resolve(value); }); });
const reports = {
  '/hello': report => { onHello(report); },
  '/next': () => jobs.shift() ?? soon(2000, resolve => { onJob = () => resolve(jobs.shift()); }),
  // A sleeper knows its scenario, not the run.
  '/events': ({ run, events }) => { runOf(run === job?.name ? job.run : run).events.push(...events); },
  '/rested': ({ run }) => { runOf(run).events = runOf(run).events.filter(({ ctx }) => ctx !== 'sleeper'); },
  '/expect': ({ run }) => { runOf(run).ready.clear(); },
  '/ready': ({ run, ctx }) => { runOf(run).ready.add(ctx); runOf(run).onReady(); },
  '/wait-ready': ({ run, count }) => soon(8000, resolve => {
    const state = runOf(run);
    state.onReady = () => { if (state.ready.size >= count) resolve(); };
    state.onReady();
  }),
  '/done': report => { runOf(report.run).done(report); },
};

const server = http.createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  const headers = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*', 'access-control-allow-private-network': 'true' };
  if (pages[pathname]) {
    // Not `no-store`: such a page is kept out of the back/forward cache.
    response.writeHead(200, { ...headers, 'content-type': 'text/html', 'cache-control': 'max-age=60' });
    return response.end(pages[pathname](searchParams));
  }
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const answer = reports[pathname] && chunks.length ? await reports[pathname](JSON.parse(Buffer.concat(chunks))) : undefined;
  response.writeHead(reports[pathname] || request.method === 'OPTIONS' ? 200 : 404, { ...headers, 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(answer ?? {}));
});
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
const host = `127.0.0.1:${server.address().port}`;
const base = `http://${host}`;

// ---- the extensions

function writeExtension(folder, id, scripts, build, manifest) {
  fs.mkdirSync(folder);
  const write = (name, text) => fs.writeFileSync(path.join(folder, name), text);
  for (const file of scripts.filter(file => !file.startsWith('scenario_'))) fs.copyFileSync(path.join(here, file), path.join(folder, file));
  for (const file of files) fs.copyFileSync(path.join(options.scenarios, file), path.join(folder, 'scenario_' + file));
  write('build.js', `var BUILD = ${JSON.stringify(build)};`);
  const background = ['build.js', ...scripts];
  write('sw.js', `importScripts(${background.map(file => JSON.stringify(file)).join(', ')});`);
  write('manifest.json', JSON.stringify({
    manifest_version: 3,
    name: id.name,
    version: '1.0',
    host_permissions: ['http://127.0.0.1/*'],
    ...manifest,
    ...(kind === 'firefox'
      ? {
        background: { scripts: background },
        browser_specific_settings: { gecko: { id: id.text } },
        content_security_policy: { extension_pages: "script-src 'self'; object-src 'self'" }, // the default would upgrade http to https
      }
      : { background: { service_worker: 'sw.js' }, key: id.key }),
  }));
  return write;
}

// Where Chromium takes the id from: a key.
function newId(name) {
  if (kind === 'firefox') return { name, text: `${name}@example.invalid` };
  const key = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'der' });
  const digits = crypto.createHash('sha256').update(key).digest('hex').slice(0, 32);
  return { name, key: key.toString('base64'), text: [...digits].map(digit => String.fromCharCode(97 + parseInt(digit, 16))).join('') };
}

const scenarioFiles = files.map(file => 'scenario_' + file);
const withSleepers = names.filter(name => /^(dormant|web_page)_/.test(name));
// Pages of the web may connect to it, in some scenarios.
const admitsPages = name => (name.startsWith('web_page_') ? { externally_connectable: { ids: ['*'], matches: ['http://127.0.0.1/*'] } } : {});
const sleepers = Object.fromEntries(withSleepers.map(name => [name, newId(name)]));
const extension = path.join(folder, 'extension');
const common = ['harness.js', ...scenarioFiles];
const build = { base, idle: browsers.idle[kind], sleepers: Object.fromEntries(withSleepers.map(name => [name, sleepers[name].text])) };
const write = writeExtension(extension, newId('recorder'), [...common, 'background.js'], build, {
  permissions: ['tabs', 'webNavigation', 'scripting'],
  content_scripts: [{ matches: ['http://127.0.0.1/*'], js: ['build.js', ...common, 'content.js'], all_frames: true, run_at: 'document_start' }],
});
for (const file of ['content.js', 'injected.js']) fs.copyFileSync(path.join(here, file), path.join(extension, file));
write('page.html', '<!doctype html><meta charset="utf-8">' + ['build.js', ...common, 'content.js'].map(file => `<script src="${file}"></script>`).join(''));
const extensions = [extension, ...withSleepers.map(name => path.join(folder, name))];
for (const name of withSleepers) writeExtension(path.join(folder, name), sleepers[name], [...common, 'sleeper.js'], { base, scenario: name }, admitsPages(name));

// ---- traces

// Ids differ from run to run; placeholders stand for them.
function placeholders({ id, base: extensionBase }, { run, map = [] }) {
  const texts = [...Object.values(sleepers).map(({ text }) => [text, '<SLEEPER>']), [extensionBase.replace(/\/$/, ''), '<EXTBASE>'], [id, '<EXT>'], [base, '<BASE>'], [host, '<HOST>'], [run, '<RUN>']];
  const uuid = /\/\/([0-9a-f-]{36})/.exec(extensionBase);
  if (uuid) texts.push([uuid[1], '<UUID>']);
  const tabs = new Map(), frames = new Map();
  map.forEach((tab, i) => {
    tabs.set(tab.tabId, `<tab${i || ''}>`);
    for (const [name, { frameId, documentId }] of Object.entries(tab.frames)) {
      if (frameId) frames.set(frameId, `<frame ${name}>`);
      if (documentId) texts.push([documentId, `<doc ${name}${i ? ' #' + i : ''}>`]);
    }
  });
  return function replace(value, key = '') {
    if (typeof value === 'string') return texts.reduce((text, [from, to]) => text.replaceAll(from, to), value);
    if (typeof value === 'number') return (/tab|value|id/i.test(key) && tabs.get(value)) || frames.get(value) || value;
    if (Array.isArray(value)) return value.map(item => replace(item, key));
    if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, replace(v, k)]));
    return value;
  };
}

function trace(events, info, report) {
  events.sort((a, b) => a.t - b.t || a.n - b.n);
  const replace = placeholders(info, report);
  return events.map(({ t, n, ...fields }) => ({ ms: Number((t - events[0].t).toFixed(1)), n, ...replace(fields) }));
}

// What must be equal for two runs to be the same: the events of each context in order.
function essence({ error, events }) {
  const contexts = {};
  for (const { ms, n, ...event } of events) (contexts[event.ctx] ??= []).push(event);
  const withoutCounters = (key, value) => key === 'contextId' ? undefined : value;
  return JSON.stringify([error, Object.entries(contexts).sort(([a], [b]) => a < b ? -1 : 1)], withoutCounters);
}

function writeTrace(name, info, recorded) {
  const lines = recorded.map(({ events, ...head }) => {
    const list = events.map(event => '    ' + JSON.stringify(event)).join(',\n');
    return `  {${Object.entries(head).filter(([, v]) => v !== undefined).map(([k, v]) => `${JSON.stringify(k)}: ${JSON.stringify(v)}, `).join('')}"events": [\n${list}\n  ]}`;
  });
  const head = `{"scenario": ${JSON.stringify(name)}, "browser": ${JSON.stringify(info.browser)}, "mv": 3, "runs": [\n`;
  fs.writeFileSync(path.join(out, name + '.json'), `${head}${lines.join(',\n')}\n]}\n`);
}

// ---- recording

fs.mkdirSync(out, { recursive: true });
async function cleanUp() {
  await browsers.stop();
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => cleanUp().then(() => process.exit(1)));
try {
  const program = options.program ?? { chromium: 'chromium', firefox: 'firefox-esr' }[kind];
  if (options.webkit) browsers.webkit(options.webkit, extensions, folder, kind);
  else await browsers[kind](program, extensions, folder);
  const info = await Promise.race([hello, new Promise((_, reject) => setTimeout(reject, 30000, new Error('the extension does not start')))]);
  console.log(info.browser);
  for (const name of names) {
    const recorded = [];
    for (let k = 0; k < Number(options.runs); k++) {
      const run = `${name}.${Date.now().toString(36)}`;
      const report = await soon(sleepers[name] ? 420000 : 40000, resolve => {
        runOf(run).done = resolve;
        job = { name, run };
        jobs.push(job);
        if (onJob) onJob();
      }) ?? { run, error: 'no end' };
      await new Promise(resolve => setTimeout(resolve, 80)); // the last events of pages that are going
      if (report.skipped) continue;
      const found = { times: 1, error: report.error, events: trace(runOf(run).events, info, report) };
      const same = recorded.find(other => essence(other) === essence(found));
      if (same) same.times++; else recorded.push(found);
    }
    if (recorded.length) writeTrace(name, info, recorded);
    console.log(name, recorded.map(({ times, events, error }) => `${times}x ${events.length} events${error ? ' ' + error : ''}`).join(', ') || 'skipped');
  }
} finally {
  await cleanUp();
  server.close();
  server.closeAllConnections();
}
