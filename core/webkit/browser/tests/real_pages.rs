//! The browser with real pages: a window, sandboxed web processes, clicks.

#[allow(dead_code, reason = "every test uses a part of it")]
mod common;

use common::{ExtensionFolder, Opened, Site};
use std::path::Path;

const FRAMES: &[(&str, &str)] = &[
    (
        "/",
        "<!doctype html><title>Frames</title><h3>top</h3><iframe src=/a></iframe><iframe src=http://localhost:PORT/b></iframe>\
         <iframe sandbox=allow-scripts src=/s></iframe><iframe srcdoc='<p>srcdoc'></iframe><iframe></iframe>",
    ),
    ("/a", "<p>same origin"),
    ("/b", "<p>another origin<iframe src=http://127.0.0.1:PORT/c></iframe>"),
    ("/c", "<p>below another origin"),
    ("/s", "<p>sandboxed"),
];

/// The example of MDN: a click connects to every frame of the tab, and each answers.
#[test]
fn a_click_connects_to_every_frame_and_each_answers() {
    let site = Site::new(FRAMES);
    let greeter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/greeter");
    let mut browser = Opened::new(&[], &[&greeter], &[&site.url("/")]);
    browser.wait_for("background listens");
    browser.wait_for("loaded tab 1");
    browser.click("Greet");
    let mut answers = browser.wait_for_many("frame answers: ", 7);
    answers.sort();
    let expected = [
        "http://127.0.0.1:PORT/ ",
        "/a ",
        "/c ",
        "/s ",
        "http://localhost:PORT/b ",
        "about:blank ",
        "about:srcdoc ",
    ];
    for frame in expected {
        let frame = frame.replace("PORT", &site.port.to_string());
        assert!(answers.iter().any(|answer| answer.contains(&frame)), "{frame} in {answers:?}");
    }
}

const PROBE: &str = r#"{
  "manifest_version": 3, "name": "Probe", "version": "1", "permissions": ["tabs", "scripting", "storage", "webNavigation"],
  "host_permissions": ["http://*/*"],
  "background": { "scripts": ["base.js", "background.js"] },
  "content_scripts": [{ "matches": ["http://*/*"], "js": ["content.js"], "run_at": "document_start" }]
}"#;

/// An extension of this manifest, with these scripts and other files.
fn probe(
    name: &str,
    base: &str,
    background: &str,
    content: &str,
    others: &[(&str, &str)],
) -> ExtensionFolder {
    let scripts = [("base.js", base), ("background.js", background), ("content.js", content)];
    ExtensionFolder::new(name, &[&[("manifest.json", PROBE)][..], &scripts, others].concat())
}

const HELLOS: &str = r#"
const waiting = [];
const heard = [];
browser.runtime.onConnect.addListener((port) => {
  const hello = { url: port.sender.url, tab: port.sender.tab?.id, frame: port.sender.frameId, port };
  port.onDisconnect.addListener(() => console.log("ended", new URL(hello.url).pathname));
  const next = waiting.shift();
  next ? next(hello) : heard.push(hello);
});
const hello = () => heard.length > 0 ? Promise.resolve(heard.shift()) : new Promise((go) => waiting.push(go));
const answered = (port) => new Promise((go) => { port.onMessage.addListener(go); port.postMessage("are you there?"); });
"#;

const SAYS_HELLO: &str = r#"
const connect = () => {
  const port = browser.runtime.connect({ name: "hello" });
  port.onMessage.addListener(() => port.postMessage(location.href));
};
connect();
addEventListener("pageshow", (event) => event.persisted && connect());
"#;

/// Navigations between sites swap processes, and the back/forward cache brings old ones back.
#[test]
fn a_tab_is_heard_through_process_swaps_and_the_back_forward_cache() {
    let site = Site::new(&[("/one", "<p>one"), ("/two", "<p>two")]);
    let background = format!(
        "{HELLOS}
        (async () => {{
          const tab = await browser.tabs.create({{ url: `http://127.0.0.1:${{PORT}}/one` }});
          for (let round = 0; round < 3; round += 1) {{
            for (const host of ['localhost', '127.0.0.1']) {{
              const {{ port, url }} = await hello();
              console.log('answered', await answered(port));
              await browser.tabs.update(tab.id, {{ url: `http://${{host}}:${{PORT}}/${{host === 'localhost' ? 'two' : 'one'}}` }});
            }}
          }}
          console.log('answered', await answered((await hello()).port));
          for (let step = 0; step < 3; step += 1) {{
            await browser.tabs.goBack(tab.id);
            const {{ port }} = await hello();
            console.log('back', await answered(port));
            const frames = await browser.webNavigation.getAllFrames({{ tabId: tab.id }});
            console.log('frames', frames.length);
          }}
          await browser.tabs.remove(tab.id);
        }})().catch((error) => console.log('failed', error));"
    );
    let folder = probe("swaps", &format!("const PORT = {};", site.port), &background, SAYS_HELLO, &[]);
    let mut browser = Opened::new(&[], &[&folder.0], &[]);
    browser.wait_for("loaded Probe");
    let answers = browser.wait_for_many("answered http", 7);
    assert!(answers[0].ends_with("/one") && answers[1].ends_with("/two"), "{answers:?}");
    let back = browser.wait_for_many("back http", 3);
    assert!(back[0].ends_with("/two") && back[1].ends_with("/one"), "{back:?}");
    assert_eq!(browser.wait_for_many("frames 1", 3).len(), 3);
    browser.wait_for("closed tab 2");
    assert!(!browser.seen.iter().any(|line| line.contains("failed")), "{:?}", browser.seen);
}

/// Processes that are killed end their ports; the background starts again, and a reload brings the page back.
#[test]
fn killed_web_processes_come_back() {
    let site = Site::new(&[("/one", "<p>one")]);
    let background = format!(
        "{HELLOS}
        (async () => {{
          const tabs = await browser.tabs.query({{}});
          console.log('started with', tabs.length);
          const load = () => tabs.forEach((tab) => browser.tabs.update(tab.id, {{ url: `http://127.0.0.1:${{PORT}}/one?${{Date.now()}}` }}));
          load();
          // What a process is told is lost if it was killed just before. A page may wait ten seconds for its context.
          const again = setInterval(load, 15_000);
          for (;;) {{
            const {{ port }} = await hello();
            clearInterval(again);
            console.log('answered', await answered(port));
          }}
        }})().catch((error) => console.log('failed', error));"
    );
    let folder = probe("killed", &format!("const PORT = {};", site.port), &background, SAYS_HELLO, &[]);
    let mut browser = Opened::new(&[], &[&folder.0], &[]);
    browser.wait_for("answered http");
    assert!(browser.kill_web_processes() >= 2);
    browser.wait_for_many("started with", 2);
    browser.wait_for_many("answered http", 2);
}

/// What a page of the web tries against an extension.
#[test]
fn a_page_sees_nothing_of_extensions_and_frames_none_of_their_pages() {
    let attack = r#"<p>attacker<script>
      addEventListener("load", async () => {
        const base = document.documentElement.dataset.base;
        const seen = ["browser", "chrome", "portCoreDocument", "__portCoreMoment"].filter((name) => name in window);
        JSON.parse = () => { throw "patched"; };
        Object.prototype.frameId = "polluted";
        const fetched = await fetch(base + "secret.html").then(() => "fetched", () => "refused");
        const frame = document.createElement("iframe");
        frame.src = base + "secret.html";
        document.body.append(frame);
        await new Promise((go) => setTimeout(go, 700));
        let shown;
        try { shown = frame.contentDocument === null ? "another origin" : frame.contentDocument.body?.textContent ?? ""; } catch { shown = "threw"; }
        fetch("/report", { method: "POST", body: JSON.stringify({ seen, fetched, shown }) });
      });
    </script>"#;
    let site = Site::new(&[("/attack", attack)]);
    let content = "document.documentElement.dataset.base = browser.runtime.getURL('');
        browser.runtime.sendMessage('hello').then((answer) => document.title = answer);";
    // The page is opened by the background, which listens by then.
    let background = "browser.runtime.onMessage.addListener((message, sender, answer) => {
        console.log('message', message, sender.url, sender.frameId); answer('answer'); });
        browser.tabs.create({ url: ATTACK });";
    let base = format!("const ATTACK = '{}';", site.url("/attack"));
    let secret = [
        ("secret.html", "<title>secret</title><script src=secret.js></script>"),
        ("secret.js", "browser.runtime.sendMessage('from the secret page');"),
    ];
    let folder = probe("attacked", &base, background, content, &secret);
    let mut browser = Opened::new(&[], &[&folder.0], &[]);
    let report = site.report();
    assert!(report.contains(r#""seen":[]"#) && report.contains(r#""fetched":"refused""#), "{report}");
    let line = browser.wait_for("message hello");
    assert!(line.ends_with(&format!("{} 0", site.url("/attack"))), "{line}");
    browser.wait_for("loaded tab 2");
    assert!(!browser.seen.iter().any(|line| line.contains("from the secret page")), "{:?}", browser.seen);
}
