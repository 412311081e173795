//! Ends, and in which order with what scripts say they are heard: of frames, of tabs that are closed, of processes.

#[allow(dead_code, reason = "every test uses a part of it")]
mod common;

use common::{ExtensionFolder, Opened, Site};

const MANIFEST: &str = r#"{
  "manifest_version": 3, "name": "Ends", "version": "1", "permissions": ["tabs", "webNavigation"],
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

/// The words that a background has written after `said`, in their order.
fn said(lines: &[String]) -> Vec<&str> {
    lines.iter().filter_map(|line| Some(line.split_once("said ")?.1)).collect()
}

/// Removes a frame between two posts, twenty times: its port ends between them, and the answer to a call that closes the
/// tab comes behind the ends that it causes. What is posted in `pagehide` is heard.
#[test]
fn ends_and_answers_keep_their_place_among_messages() {
    let site = Site::new(&[("/top", "<p>top"), ("/frame", "<p>frame")]);
    let background = r#"
        const say = (...words) => console.log("said", ...words);
        let ready;
        browser.runtime.onConnect.addListener((port) => {
          if (port.name === "frame") {
            port.onDisconnect.addListener(() => say("end"));
            ready(port);
            return;
          }
          port.onDisconnect.addListener(() => say("end of top"));
          (async () => {
            for (let round = 0; round < 20; round += 1) {
              const frame = new Promise((go) => { ready = go; });
              port.postMessage("open");
              await frame;
              const done = new Promise((go) => {
                port.onMessage.addListener(function hear(word) {
                  say(word);
                  if (word === "after") { port.onMessage.removeListener(hear); go(); }
                });
              });
              port.postMessage("remove");
              await done;
            }
            port.onMessage.addListener((word) => say(word));
            await browser.tabs.remove(port.sender.tab.id);
            say("removed");
          })();
        });
        browser.tabs.onRemoved.addListener(() => say("onRemoved"));
        browser.tabs.create({ url: SITE + "/top" });
    "#;
    let content = r#"
        if (window === top) {
          const port = browser.runtime.connect({ name: "top" });
          let frame;
          port.onMessage.addListener((word) => {
            if (word === "open") {
              frame = document.createElement("iframe");
              frame.src = "/frame";
              document.body.append(frame);
              return;
            }
            port.postMessage("before");
            frame.remove();
            port.postMessage("after");
          });
          addEventListener("pagehide", () => port.postMessage("farewell"));
        } else {
          browser.runtime.connect({ name: "frame" });
        }
    "#;
    let folder = extension("order", &site, background, content);
    let mut browser = Opened::new(&[], &[&folder.0], &[]);
    browser.wait_for("said removed");
    let said = said(&browser.seen);
    let (rounds, last) = said.split_at(60);
    assert!(rounds.chunks(3).all(|round| round == ["before", "end", "after"]), "{said:?}");
    assert_eq!(last, ["onRemoved", "farewell", "end of top", "removed"]);
}

/// A page that does not end by itself has its time, and no more.
#[test]
fn a_page_that_hangs_holds_up_the_end_of_its_tab_for_a_while_alone() {
    let site = Site::new(&[("/hangs", "<p>hangs<script>onpagehide = () => { for (;;); };</script>")]);
    let background = r#"
        browser.runtime.onConnect.addListener(async (port) => {
          port.onDisconnect.addListener(() => console.log("said end"));
          await browser.tabs.remove(port.sender.tab.id);
          console.log("said removed");
        });
        browser.tabs.create({ url: SITE + "/hangs" });
    "#;
    let folder = extension("hangs", &site, background, "browser.runtime.connect();");
    let mut browser = Opened::new(&[], &[&folder.0], &[]);
    browser.wait_for("said removed");
    assert_eq!(said(&browser.seen), ["end", "removed"]);
}

/// Where a page's process has ended the window says so, and a click on the button beside that loads the page anew.
#[test]
fn a_tab_says_that_its_process_has_ended_and_a_click_loads_it_anew() {
    let site = Site::new(&[("/one", "<p>one")]);
    let background = r#"
        console.log("background started");
        browser.runtime.onConnect.addListener((port) => console.log("said connected", port.sender.url));
        browser.tabs.query({}).then((tabs) => {
          if (tabs.length === 1) { browser.tabs.create({ url: SITE + "/one" }); }
        });
    "#;
    let folder = extension("crash", &site, background, "browser.runtime.connect();");
    let mut browser = Opened::new(&[], &[&folder.0], &[]);
    browser.wait_for("said connected");
    assert!(browser.kill_web_processes() >= 2);
    browser.wait_for("tab 2 says: The page’s process has crashed, or was killed.");
    // The background starts again by itself, and is to hear of the page.
    browser.wait_for_many("background started", 2);
    browser.click("Reload page");
    browser.wait_for_many("said connected", 2);
}
