//! Processes that do not go on: what they cost, and who goes on meanwhile.

#[allow(dead_code, reason = "every test uses a part of it")]
mod common;

use common::{ExtensionFolder, Opened, Site, signal, with_main_thread_blocked};
use std::fs;
use std::thread;
use std::time::Duration;

const MANIFEST: &str = r#"{
  "manifest_version": 3, "name": "Busy", "version": "1", "permissions": ["tabs"],
  "background": { "scripts": ["background.js"] },
  "content_scripts": [{ "matches": ["http://*/*"], "js": ["content.js"], "all_frames": true }]
}"#;

/// An extension with these scripts, in which SITE is where pages come from.
fn extension(name: &str, site: &Site, background: &str, content: &str) -> ExtensionFolder {
    let [background, content] =
        [background, content].map(|script| script.replace("SITE", &format!("'{}'", site.url(""))));
    ExtensionFolder::new(
        name,
        &[("manifest.json", MANIFEST), ("background.js", &background), ("content.js", &content)],
    )
}

/// Memory of a process that is its own alone, in KiB.
fn own_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("RssAnon:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or_default()
}

/// The lanes to it fill, and whoever posts more is told so; others are not held up, and what was taken comes once it
/// goes on.
#[test]
fn a_stopped_web_process_costs_its_budget_and_others_go_on() {
    // The page's process is known by what it holds.
    let site = Site::new(&[
        ("/stopped", "<p>stopped<script>globalThis.held = new Uint8Array(300 << 20).fill(1);</script>"),
        ("/other", "<p>other"),
    ]);
    let background = r#"
        const ports = {};
        const next = (port) => new Promise((go) => {
          const hear = (message) => { port.onMessage.removeListener(hear); go(message); };
          port.onMessage.addListener(hear);
        });
        browser.runtime.onConnect.addListener(async (port) => {
          ports[new URL(port.sender.url).pathname] = port;
          if (Object.keys(ports).length < 2) { return; }
          console.log("both are there");
          await fetch(SITE + "/wait", { mode: "no-cors" });
          const [stopped, other] = [ports["/stopped"], ports["/other"]];
          const text = "x".repeat(256 << 10);
          let posted = 0;
          try {
            for (; posted < 4_000; posted += 1) {
              stopped.postMessage(text);
              if (posted % 16 === 0) { await new Promise((go) => setTimeout(go)); }
            }
            console.log("all was taken");
          } catch (error) {
            console.log("taken", posted, "before", error.message);
          }
          for (let trip = 1; trip <= 200; trip += 1) { other.postMessage(trip); await next(other); }
          console.log("others go on");
          await fetch(SITE + "/wait", { mode: "no-cors" });
          for (;;) {
            try { stopped.postMessage("the last"); break; } catch { await new Promise((go) => setTimeout(go, 50)); }
          }
          console.log("came", await next(stopped));
        });
        browser.tabs.create({ url: SITE + "/stopped" });
        browser.tabs.create({ url: SITE + "/other" });
    "#;
    let content = r#"
        const port = browser.runtime.connect();
        let long = 0;
        port.onMessage.addListener((message) => {
          if (message.length === 256 << 10) { long += 1; } else { port.postMessage(long); }
        });
    "#;
    let folder = extension("stopped", &site, background, content);
    let mut browser = Opened::new(&[], &[&folder.0], &[]);
    browser.wait_for("both are there");
    let process = browser.web_processes().into_iter().max_by_key(|process| own_memory(*process)).unwrap();
    assert!(own_memory(process) >= 300 << 10, "the page holds its memory");
    assert!(signal(process, "STOP"));
    site.go_on();
    let line = browser.wait_for("taken");
    let taken = line.split(' ').skip_while(|word| *word != "taken").nth(1).unwrap().to_owned();
    // What its lane and its port's window take, of 128 and 64 MiB.
    let bytes = taken.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(256 << 10);
    assert!(bytes > 32 << 20 && bytes < 256 << 20, "{line}");
    browser.wait_for("others go on");
    assert!(signal(process, "CONT"));
    site.go_on();
    let came = browser.wait_for("came ");
    assert!(came.ends_with(&format!("came {taken}")), "{came}, {taken} taken");
}

/// Messages go past it; a new document's scripts wait for their grant, and then run.
#[test]
fn a_blocked_gtk_thread_delays_new_pages_and_no_messages() {
    let site = Site::new(&[("/one", "<p>one"), ("/frame", "<p>frame")]);
    let background = r#"
        browser.runtime.onConnect.addListener((port) => {
          port.onMessage.addListener((message) => port.postMessage(message));
          port.postMessage("connected");
        });
        browser.runtime.onMessage.addListener((message, sender) => console.log("heard", message, sender.frameId > 0));
        browser.tabs.create({ url: SITE + "/one" });
    "#;
    let content = r#"
        const next = (port) => new Promise((go) => {
          const hear = (message) => { port.onMessage.removeListener(hear); go(message); };
          port.onMessage.addListener(hear);
        });
        const report = (body) => fetch("/report", { method: "POST", body });
        (async () => {
          if (window !== top) {
            browser.runtime.sendMessage("a frame's script");
            return;
          }
          const port = browser.runtime.connect();
          await next(port);
          await report("ready");
          await fetch("/wait");
          for (let trip = 1; trip <= 200; trip += 1) { port.postMessage(trip); await next(port); }
          await report("200 trips");
          const frame = document.createElement("iframe");
          frame.src = "/frame";
          document.body.append(frame);
        })();
    "#;
    let folder = extension("blocked", &site, background, content);
    let mut browser = Opened::new(&[], &[&folder.0], &[]);
    assert_eq!(site.report(), "ready");
    with_main_thread_blocked(browser.process(), || {
        site.go_on();
        assert_eq!(site.report(), "200 trips");
        thread::sleep(Duration::from_secs(2));
        // No line of the frame's was written: it is not there for the core yet.
        assert!(!browser.take_lines().iter().any(|line| line.contains("a frame's script")));
    })
    .expect("a process may trace its child");
    browser.wait_for("heard a frame's script true");
}
