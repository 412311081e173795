//! What extensions call besides messaging, and what comes of it in the window.

#[allow(dead_code, reason = "every test uses a part of it")]
mod common;

use common::{ExtensionFolder, Opened, Site};

/// An extension of one background, with permissions and files besides.
fn extension(name: &str, manifest: &str, background: &str, files: &[(&str, &str)]) -> ExtensionFolder {
    let manifest = format!(
        r#"{{ "manifest_version": 3, "name": "{name}", "version": "1", "host_permissions": ["<all_urls>"],
             "background": {{ "scripts": ["background.js"] }}, {manifest} }}"#
    );
    let own = [("manifest.json", manifest.as_str()), ("background.js", background)];
    ExtensionFolder::new(name, &[&own, files].concat())
}

#[test]
fn a_page_is_styled_until_the_style_is_taken_away() {
    let site = Site::new(&[("/page", "<!doctype html><title>Page</title><p>text")]);
    let background = format!(
        r#"(async () => {{
            const tab = (await browser.tabs.create({{ url: "{}" }})).id;
            // The tab shows nothing yet: the calls wait.
            const target = {{ tabId: tab }};
            const width = async () => (await browser.scripting.executeScript({{
                target, func: () => getComputedStyle(document.body).width,
            }}))[0].result;
            const css = "body {{ width: 123px }}";
            const before = await width();
            await browser.scripting.insertCSS({{ target, css }});
            const styled = await width();
            await browser.scripting.removeCSS({{ target, css }});
            console.log("styled", styled, "and then as before:", before === await width());
            await browser.scripting.insertCSS({{ target, files: ["style.css"] }});
            console.log("by a file", await width());
            console.log(await browser.scripting.insertCSS({{ target, files: ["none.css"] }}).catch(String));
        }})();"#,
        site.url("/page")
    );
    let files = [("style.css", "body { width: 77px }")];
    let folder = extension("Styles", r#""permissions": ["scripting", "tabs"]"#, &background, &files);
    let mut browser = Opened::new(&[], &[&folder.0], &[]);
    browser.wait_for("styled 123px and then as before: true");
    browser.wait_for("by a file 77px");
    browser.wait_for("Could not load file: 'none.css'.");
}

#[test]
fn the_tab_is_captured_as_it_is_seen() {
    let site =
        Site::new(&[("/page", "<!doctype html><title>Page</title><body style='background: #ff0000'>")]);
    let background = r#"const capture = async () => {
        const picture = await createImageBitmap(await (await fetch(await browser.tabs.captureVisibleTab())).blob());
        const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
        canvas.drawImage(picture, 0, 0);
        console.log("captured", String(canvas.getImageData(picture.width >> 1, picture.height >> 1, 1, 1).data));
    };
    browser.tabs.onUpdated.addListener((_, { status }) => status === "complete" && capture().catch(console.error));
    browser.tabs.create({ url: "PAGE" });"#;
    let background = background.replace("PAGE", &site.url("/page"));
    let folder = extension("Captures", r#""permissions": ["tabs"]"#, &background, &[]);
    let mut browser = Opened::new(&[], &[&folder.0], &[]);
    browser.wait_for("captured 255,0,0,255");
}

#[test]
fn menu_items_commands_and_the_address_bar_reach_the_background() {
    let site = Site::new(&[("/page", "<!doctype html><title>Page</title><a href='/other'>link</a>")]);
    let background = r#"
        browser.contextMenus.create({ id: "parent", title: "Parent", contexts: ["all"] });
        browser.contextMenus.create({ id: "item", parentId: "parent", title: "Item", contexts: ["link"] }, () =>
            console.log("made"));
        browser.contextMenus.onClicked.addListener((info, tab) =>
            console.log("chose", info.menuItemId, "of", info.parentMenuItemId, new URL(info.linkUrl).pathname, tab.id));
        browser.commands.onCommand.addListener((name) => console.log("command", name));
        browser.omnibox.onInputEntered.addListener((text) => console.log("typed", text));
        browser.alarms.onAlarm.addListener(({ name }) => console.log("alarm", name));
        browser.alarms.create("soon", { when: Date.now() });
        browser.notifications.create("n", { type: "basic", title: "Title", message: "Message", iconUrl: "i.png" })
            .then(async (id) => console.log("shown", id, Object.keys(await browser.notifications.getAll())));
        browser.tabs.captureTab?.()?.catch((error) => console.log(String(error)));"#;
    let manifest = r#""permissions": ["contextMenus", "alarms", "notifications", "activeTab"], "omnibox": { "keyword": "key" },
        "commands": { "greet": { "description": "Greets" } }"#;
    let folder = extension("Person", manifest, background, &[]);
    let mut browser = Opened::new(&["--driven"], &[&folder.0], &[&site.url("/page")]);
    browser.wait_for("made");
    browser.wait_for("loaded tab 1");
    for line in ["menu item", "menu none", "command greet", "omnibox key words", "press a", "dance"] {
        browser.act(line);
    }
    browser.wait_for("chose item of parent /other 1");
    browser.wait_for("did not menu none");
    browser.wait_for("command greet");
    browser.wait_for("typed words");
    browser.wait_for("did press a");
    browser.wait_for("did not dance");
    browser.wait_for("alarm soon");
    browser.wait_for("shown n n");
    browser.wait_for("not supported by this browser: tabs.captureTab");
}

#[test]
fn an_offscreen_document_and_a_side_panel_are_there_once_they_are_said_to_be() {
    let background = r#"(async () => {
        const page = { url: "off.html", reasons: ["TESTING"], justification: "a test" };
        await browser.offscreen.createDocument(page);
        console.log("it heard", await browser.runtime.sendMessage("hello"));
        console.log(await browser.offscreen.createDocument(page).catch(String));
        const kinds = async () => (await browser.runtime.getContexts({})).map(({ contextType }) => contextType).sort();
        console.log("contexts", String(await kinds()));
        await browser.offscreen.closeDocument();
        browser.runtime.onMessage.addListener(async () => console.log("panel", String(await kinds())));
        await browser.sidePanel.open({ windowId: 1 });
    })();"#;
    let manifest =
        r#""permissions": ["offscreen", "sidePanel"], "side_panel": { "default_path": "panel.html" }"#;
    let files = [
        ("off.html", "<script src=off.js></script>"),
        ("off.js", "browser.runtime.onMessage.addListener(async (message) => `${message}, and answers`);"),
        ("panel.html", "<script src=panel.js></script>"),
        ("panel.js", "browser.runtime.sendMessage('I am here');"),
    ];
    let folder = extension("Beside", manifest, background, &files);
    let mut browser = Opened::new(&[], &[&folder.0], &[]);
    browser.wait_for("it heard hello, and answers");
    browser.wait_for("Only a single offscreen document may be created.");
    browser.wait_for("contexts BACKGROUND,OFFSCREEN_DOCUMENT");
    browser.wait_for("panel BACKGROUND,SIDE_PANEL");
}

#[test]
fn registered_scripts_run_in_later_documents() {
    let site = Site::new(&[("/one", "<!doctype html>"), ("/two", "<!doctype html>")]);
    let background = format!(
        r#"browser.runtime.onMessage.addListener((message) => console.log("registered script in", message));
        (async () => {{
            const script = {{ id: "a", js: ["registered.js"], matches: ["http://*/two"] }};
            await browser.scripting.registerContentScripts([script]);
            await browser.tabs.create({{ url: "{}" }});
            await browser.tabs.create({{ url: "{}" }});
        }})();"#,
        site.url("/one"),
        site.url("/two")
    );
    let files = [("registered.js", "browser.runtime.sendMessage(location.pathname);")];
    let folder = extension("Registers", r#""permissions": ["scripting"]"#, &background, &files);
    let mut browser = Opened::new(&[], &[&folder.0], &[]);
    browser.wait_for("registered script in /two");
    assert!(browser.seen.iter().all(|line| !line.contains("registered script in /one")));
}
