// Starts a browser with unpacked extensions.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

// After how many milliseconds an idle background is stopped.
export const idle = { chromium: 30000, firefox: 6000 };

let started;

function start(program, args, folder, pipes = []) {
  const log = fs.openSync(path.join(folder, 'browser.log'), 'a');
  started = spawn(program, args, { detached: true, env: { ...process.env, HOME: folder }, stdio: ['ignore', log, log, ...pipes] });
  return started;
}

// Ends the browser and the processes it has started.
export async function stop() {
  if (!started || !started.pid || started.exitCode !== null || started.signalCode !== null) return;
  const gone = new Promise(resolve => started.once('exit', resolve));
  process.kill(-started.pid, 'SIGKILL');
  await gone;
}

// The browser of core/webkit, by its command line.
export function webkit(program, extensions, folder, profile) {
  start(program, ['--log', '--profile', profile, ...extensions], folder);
}

// Over its debugging pipe: messages of JSON, each ended by NUL.
export async function chromium(program, extensions, folder) {
  const browser = start(program, [
    '--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--no-default-browser-check',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--remote-debugging-pipe', '--enable-unsafe-extension-debugging', `--user-data-dir=${path.join(folder, 'profile')}`, 'about:blank',
  ], folder, ['pipe', 'pipe']);
  const [, , , toBrowser, fromBrowser] = browser.stdio;
  await new Promise((resolve, reject) => {
    let unread = '', loaded = 0;
    fromBrowser.setEncoding('utf8').on('data', chunk => {
      const messages = (unread + chunk).split('\0');
      unread = messages.pop();
      for (const { id, error } of messages.map(text => JSON.parse(text)).filter(message => 'id' in message)) {
        if (error) reject(new Error(error.message));
        else if (++loaded === extensions.length) resolve();
      }
    });
    browser.on('error', reject);
    extensions.forEach((path, id) => toBrowser.write(JSON.stringify({ id, method: 'Extensions.loadUnpacked', params: { path } }) + '\0'));
  });
}

// Over Marionette: messages of JSON, each after its length and a colon; a command is [0, id, name, parameters].
export async function firefox(program, extensions, folder) {
  const profile = path.join(folder, 'profile');
  fs.mkdirSync(profile);
  const preferences = {
    'marionette.port': 0,
    'extensions.background.idle.timeout': idle.firefox,
    'privacy.reduceTimerPrecision': false,
    'browser.shell.checkDefaultBrowser': false,
    'browser.aboutwelcome.enabled': false,
    'browser.newtabpage.enabled': false,
    'browser.startup.page': 0,
    'browser.tabs.unloadOnLowMemory': false,
    'app.update.enabled': false,
    'app.normandy.enabled': false,
    'datareporting.policy.dataSubmissionEnabled': false,
    'toolkit.telemetry.enabled': false,
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
    'browser.safebrowsing.downloads.remote.enabled': false,
    'services.settings.server': 'http://127.0.0.1:1/',
    'extensions.getAddons.cache.enabled': false,
  };
  fs.writeFileSync(path.join(profile, 'user.js'), Object.entries(preferences).map(p => `user_pref(${p.map(x => JSON.stringify(x)).join()});\n`).join(''));
  const browser = start(program, ['--headless', '--marionette', '--no-remote', '--profile', profile, 'about:blank'], folder);

  const portFile = path.join(profile, 'MarionetteActivePort');
  const failed = new Promise((_, reject) => browser.on('error', reject));
  for (let waited = 0; !fs.existsSync(portFile) || !fs.readFileSync(portFile, 'utf8'); waited += 100) {
    if (waited > 30000) throw new Error('Firefox opens no Marionette port');
    await Promise.race([failed, new Promise(resolve => setTimeout(resolve, 100))]);
  }
  const socket = net.connect(Number(fs.readFileSync(portFile, 'utf8')), '127.0.0.1');
  const waiting = [];
  let unread = Buffer.alloc(0);
  socket.on('data', chunk => {
    unread = Buffer.concat([unread, chunk]);
    for (;;) {
      const colon = unread.indexOf(':');
      const end = colon + 1 + Number(unread.subarray(0, Math.max(colon, 0)));
      if (colon < 0 || unread.length < end) return;
      waiting.shift()(JSON.parse(unread.subarray(colon + 1, end)));
      unread = unread.subarray(end);
    }
  });
  const answer = () => new Promise(resolve => waiting.push(resolve));
  const command = async (name, parameters) => {
    const text = JSON.stringify([0, 1, name, parameters]);
    socket.write(`${Buffer.byteLength(text)}:${text}`);
    const [, , error, result] = await answer();
    if (error) throw new Error(`${name}: ${error.message}`);
    return result;
  };
  await answer(); // the greeting
  await command('WebDriver:NewSession', {});
  for (const path of extensions) await command('Addon:Install', { path, temporary: true });
}
