//! What extensions have beside content scripts: a popup, an options page, each other, and a life after a reload.

#[allow(dead_code, reason = "every test uses a part of it")]
mod common;

use common::{ExtensionFolder, Opened, Site};

/// A background that says what it hears on ports, and when they end.
const SAYS_WHAT_IT_HEARS: &str = r#"
browser.runtime.onConnect.addListener((port) => {
  const from = new URL(port.sender.url).pathname;
  const where = port.sender.tab === undefined ? "no tab" : `tab ${port.sender.tab.id}`;
  port.onMessage.addListener((message) => {
    console.log("heard", message, "from", from, "in", where);
    if (message === "hello") { port.postMessage("answer"); }
  });
  port.onDisconnect.addListener(() => console.log("ended", from));
});
"#;

/// A page's script: it connects, and says that it was answered.
const IS_ANSWERED: &str = r#"
const port = browser.runtime.connect();
port.onMessage.addListener((message) => port.postMessage(`${message} came`));
port.postMessage("hello");
"#;

#[test]
fn a_popup_connects_and_its_port_ends_when_a_click_closes_it() {
    let folder = ExtensionFolder::new(
        "popup",
        &[
            (
                "manifest.json",
                r#"{ "manifest_version": 3, "name": "Pops", "version": "1", "background": { "scripts": ["background.js"] },
                     "action": { "default_title": "Pop", "default_popup": "popup.html" } }"#,
            ),
            ("background.js", &format!("{SAYS_WHAT_IT_HEARS} console.log('listens');")),
            ("popup.html", "<!doctype html><title>Popup</title><p>popup<script src=popup.js></script>"),
            ("popup.js", IS_ANSWERED),
        ],
    );
    let mut browser = Opened::new(&[], &[&folder.0], &[]);
    browser.wait_for("listens");
    for times in 1..=2 {
        browser.click("Pop");
        browser.wait_for_many("heard answer came from /popup.html in no tab", times);
        // Beside the popup, in the page.
        browser.click_at("100", "600");
        browser.wait_for_many("ended /popup.html", times);
    }
}

#[test]
fn an_options_page_is_a_tab_and_its_port_ends_with_it() {
    let background = format!(
        "{SAYS_WHAT_IT_HEARS}
        browser.runtime.onMessage.addListener((message, sender) => browser.tabs.remove(sender.tab.id));
        browser.runtime.openOptionsPage();"
    );
    let folder = ExtensionFolder::new(
        "options",
        &[
            (
                "manifest.json",
                r#"{ "manifest_version": 3, "name": "Options", "version": "1", "background": { "scripts": ["background.js"] },
                     "options_ui": { "page": "options.html", "open_in_tab": true } }"#,
            ),
            ("background.js", &background),
            ("options.html", "<!doctype html><title>Options</title><script src=options.js></script>"),
            (
                "options.js",
                &format!(
                    "{IS_ANSWERED} port.onMessage.addListener(() => browser.runtime.sendMessage('close me'));"
                ),
            ),
        ],
    );
    let mut browser = Opened::new(&[], &[&folder.0], &[]);
    browser.wait_for("heard answer came from /options.html in tab 2");
    browser.wait_for("ended /options.html");
    browser.wait_for("closed tab 2");
}

/// What an extension of this name says and hears in one page.
fn one_of_two(name: &str) -> ExtensionFolder {
    let manifest = format!(
        r#"{{ "manifest_version": 3, "name": "{name}", "version": "1", "permissions": ["tabs"],
             "background": {{ "scripts": ["background.js"] }},
             "content_scripts": [{{ "matches": ["http://*/*"], "js": ["content.js"] }}] }}"#
    );
    let background = format!(
        "let rounds = 0;
        browser.runtime.onMessage.addListener((message, sender) => console.log('{name} heard', message));
        browser.runtime.onConnect.addListener((port) => {{
          console.log('{name} was connected to by', port.name);
          port.onMessage.addListener(async (message) => {{
            console.log('{name} heard', message);
            await browser.tabs.sendMessage(port.sender.tab.id, 'a message of {name}');
            browser.tabs.connect(port.sender.tab.id, {{ name: 'a port of {name}' }}).postMessage('over a port of {name}');
            rounds += 1;
            if (rounds === 3) {{ console.log('{name} is done'); }}
          }});
        }});"
    );
    let content = format!(
        "browser.runtime.sendMessage('a message of {name}').catch(() => {{}});
        const begin = () => {{
          const port = browser.runtime.connect({{ name: 'a port of {name}' }});
          // The background may be loading still.
          port.onDisconnect.addListener(() => setTimeout(begin, 50));
          for (let round = 1; round <= 3; round += 1) {{ port.postMessage(`round ${{round}} of {name}`); }}
        }};
        browser.runtime.onMessage.addListener((message) => {{ browser.runtime.sendMessage(`back: ${{message}}`).catch(() => {{}}); }});
        browser.runtime.onConnect.addListener((connected) => {{
          connected.onMessage.addListener((message) => browser.runtime.sendMessage(`back: ${{connected.name}}, ${{message}}`).catch(() => {{}}));
        }});
        begin();"
    );
    ExtensionFolder::new(
        name,
        &[("manifest.json", &manifest), ("background.js", &background), ("content.js", &content)],
    )
}

#[test]
fn of_two_extensions_in_one_page_neither_hears_the_other() {
    let site = Site::new(&[("/one", "<p>one")]);
    let (left, right) = (one_of_two("Left"), one_of_two("Right"));
    let mut browser = Opened::new(&[], &[&left.0, &right.0], &[&site.url("/one")]);
    for name in ["Left", "Right"] {
        browser.wait_for(&format!("{name} is done"));
        browser.wait_for(&format!("{name} heard back: a message of {name}"));
        browser.wait_for_many(&format!("{name} heard back: a port of {name}, over a port of {name}"), 3);
    }
    for line in &browser.seen {
        let is_of_both = line.contains("Left") && line.contains("Right");
        assert!(!is_of_both, "{line}");
    }
}

#[test]
fn old_content_scripts_hear_of_a_reload_and_new_ones_connect() {
    let site = Site::new(&[("/one", "<p>one")]);
    let background = format!(
        "{SAYS_WHAT_IT_HEARS}
        (async () => {{
          const {{ tab }} = await browser.storage.local.get('tab');
          if (tab === undefined) {{
            browser.runtime.onMessage.addListener(() => browser.runtime.reload());
            await browser.storage.local.set({{ tab: (await browser.tabs.create({{ url: SITE + '/one' }})).id }});
          }} else {{
            browser.runtime.onMessage.addListener((message, sender) => console.log('a new script says', message, sender.tab.id));
            await fetch(SITE + '/wait', {{ mode: 'no-cors' }});
            browser.tabs.reload(tab);
          }}
        }})();"
    )
    .replace("SITE", &format!("'{}'", site.url("")));
    let content = format!(
        "{IS_ANSWERED}
        port.onMessage.addListener(() => browser.runtime.sendMessage('reload me').catch(() => {{}}));
        port.onDisconnect.addListener(() => {{
          let refused = 'connected';
          try {{ browser.runtime.connect(); }} catch (error) {{ refused = error.message; }}
          fetch('/report', {{ method: 'POST', body: `ended: ${{refused}}` }});
        }});"
    );
    let folder = ExtensionFolder::new(
        "reload",
        &[
            (
                "manifest.json",
                r#"{ "manifest_version": 3, "name": "Reloads", "version": "1", "permissions": ["tabs", "storage"],
                     "background": { "scripts": ["background.js"] },
                     "content_scripts": [{ "matches": ["http://*/*"], "js": ["content.js"] }] }"#,
            ),
            ("background.js", &background),
            ("content.js", &content),
        ],
    );
    let mut browser = Opened::new(&[], &[&folder.0], &[]);
    browser.wait_for("heard answer came from /one in tab 2");
    let report = site.report();
    assert!(report.starts_with("ended: ") && report != "ended: connected", "{report}");
    // The scripts of a page that is loaded now are of the new extension.
    site.go_on();
    browser.wait_for("a new script says reload me 2");
}
