//! Where and when scripts run, and what they find besides messaging.

use super::{Files, ONE_PAGE, ONE_PAGE_AND_A_CLICK, extension, run};

#[test]
fn callbacks_and_promises_get_the_same_answers() {
    let run = run(
        &[extension!(
            "chrome.action.onClicked.addListener((clicked) => {
                console.log(clicked.id, clicked.url, clicked.status, clicked.index);
                chrome.tabs.get(99, (tab) => {
                    console.log(tab, chrome.runtime.lastError.message);
                    chrome.tabs.get(98, () => {
                        console.log('not looked at');
                        chrome.tabs.query({ title: 'a.*' }, (tabs) => {
                            console.log(tabs.length, chrome.runtime.lastError);
                            promises();
                        });
                    });
                });
            });
            async function promises() {
                await browser.tabs.get(97).catch((error) => console.log(error.message));
                const [tab] = await browser.tabs.query({ active: true, currentWindow: true, url: '*://*.example.com/*' });
                const made = await browser.tabs.create({ url: 'https://b.example.net/', active: false });
                console.log(tab.id, made.id, made.active);
                await browser.tabs.update(made.id, { active: true });
                console.log((await browser.tabs.query({ active: true })).map((tab) => tab.id));
                // The call is answered before the page has come.
                console.log((await browser.tabs.update(made.id, { url: 'https://c.example.org/' })).url);
                while (!(await browser.tabs.get(made.id)).url.includes('c.example')) {
                    await new Promise((resolve) => setTimeout(resolve, 1));
                }
                await browser.tabs.reload(made.id);
                console.log((await browser.tabs.get(made.id)).url);
                await browser.tabs.remove([made.id]);
                console.log((await browser.tabs.query({})).length);
            }",
            ""
        )],
        &ONE_PAGE_AND_A_CLICK,
    );
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(
        run.console("background"),
        [
            "1 https://a.example.com/ complete 0",
            "undefined No tab with id: 99.",
            "not looked at",
            "Unchecked runtime.lastError: No tab with id: 98.",
            "1 undefined",
            "No tab with id: 97.",
            "1 2 false",
            "[2]",
            "https://b.example.net/",
            "https://c.example.org/",
            "1",
        ]
    );
}

#[test]
fn half_characters_are_replaced_on_the_way_to_the_browser() {
    let run = run(
        &[extension!(
            "chrome.action.onClicked.addListener(async () => {
                console.log((await browser.tabs.query({ title: '\\ud800' })).length);
                console.log((await browser.tabs.query({ title: '*\\\\ud800' })).length);
            });",
            ""
        )],
        &ONE_PAGE_AND_A_CLICK,
    );
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(run.console("background"), ["0", "0"]);
}

#[test]
fn timers_run_in_the_order_they_are_due() {
    let run = run(
        &[extension!(
            "for (let second, first, begin = -Infinity; performance.now() - begin > 10;) { // Until both are set at once.
                clearTimeout(second); clearTimeout(first); begin = performance.now();
                second = setTimeout(() => console.log('second'), 20);
                first = setTimeout((a, b) => console.log('first', a, b), 1, 'x', 'y');
            }
            clearTimeout(setTimeout(() => console.log('never'), 2));
            let ticks = 0;
            const interval = setInterval(() => { if (++ticks === 3) { clearInterval(interval); console.log('three ticks'); } }, 30);
            setTimeout(() => { throw new Error('in a timer'); }, 1);",
            ""
        )],
        &ONE_PAGE,
    );
    assert_eq!(run.console("background"), ["first x y", "second", "three ticks"]);
    assert!(run.errors()[0].contains("background.js:9:"), "{:?}", run.errors());
}

#[test]
fn modules_and_imported_scripts_are_found_in_the_extension() {
    let modules: Files = &[
        (
            "manifest.json",
            r#"{ "manifest_version": 3, "name": "n", "version": "1", "background": { "service_worker": "main.js", "type": "module" } }"#,
        ),
        (
            "main.js",
            "import { name } from './lib/name.js'; console.log(name); import('./gone.js').catch((error) => console.log(error.message));",
        ),
        ("lib/name.js", "import '../other.js'; export const name = 'module';"),
        ("other.js", "console.log('other');"),
    ];
    let scripts: Files = &[
        (
            "manifest.json",
            r#"{ "manifest_version": 3, "name": "n", "version": "1", "background": { "service_worker": "js/main.js" } }"#,
        ),
        ("js/main.js", "importScripts('one.js', '/two.js'); console.log(one + two);"),
        ("js/one.js", "var one = 1;"),
        ("two.js", "const two = 2;"),
    ];
    let first = run(&[modules], &ONE_PAGE);
    assert_eq!(first.console("background")[..2], ["other", "module"], "{:?}", first.errors());
    assert!(first.console("background")[2].contains("gone.js"), "{:?}", first.console("background"));
    let second = run(&[scripts], &ONE_PAGE);
    assert_eq!(second.console("background"), ["3"], "{:?}", second.errors());
}

#[test]
fn version_2_has_a_background_page_and_a_browser_action() {
    let files: Files = &[
        (
            "manifest.json",
            r#"{ "manifest_version": 2, "name": "n", "version": "1", "browser_action": {}, "background": { "page": "background.html" } }"#,
        ),
        ("background.html", "<!doctype html><title>Background</title><script src='one.js'></script><script src='two.js'></script>"),
        ("one.js", "window.addEventListener('load', () => console.log(document.title, document.readyState)); const one = 1;"),
        (
            "two.js",
            "chrome.browserAction.onClicked.addListener(() => chrome.tabs.create({ url: 'page.html' }));
            chrome.runtime.onInstalled.addListener((details) => console.log(details.reason, one, chrome.action));
            chrome.runtime.onConnect.addListener((port) => console.log(port.name, port.sender.tab.id));",
        ),
        ("page.html", "<script src='page.js'></script>"),
        ("page.js", "chrome.tabs.getCurrent((tab) => chrome.runtime.connect({ name: `page in tab ${tab.id}` }));"),
    ];
    let run = run(&[files], &ONE_PAGE_AND_A_CLICK);
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(run.console("background"), ["Background complete", "install 1 undefined", "page in tab 2 2"]);
}

#[test]
fn content_scripts_run_moment_by_moment_in_their_own_worlds() {
    const MANIFEST: &str = r#"{ "manifest_version": 3, "name": "n", "version": "1", "content_scripts": [
        { "matches": ["https://*.example.com/*"], "js": ["idle.js"] },
        { "matches": ["https://*.example.com/*"], "js": ["start.js"], "run_at": "document_start" },
        { "matches": ["https://*.example.com/*"], "js": ["end.js"], "run_at": "document_end" }] }"#;
    let files: Files = &[
        ("manifest.json", MANIFEST),
        ("start.js", "globalThis.shared = ['start ' + document.readyState];"),
        ("end.js", "shared.push('end ' + document.readyState);"),
        ("idle.js", "shared.push('idle ' + document.readyState); console.log(shared.join(', '));"),
    ];
    let run = run(&[files, files], &["--page", "https://a.example.com/", "--page", "https://b.example.net/"]);
    assert!(run.went_well, "{:?}", run.errors());
    let moments: Vec<_> = run.events("console").iter().map(|line| line["text"].clone()).collect();
    assert_eq!(moments, ["start loading, end interactive, idle complete"; 2]);
}

#[test]
fn the_load_event_waits_for_the_frames() {
    let run = run(
        &[extension!(
            "",
            "console.log(document.readyState);
            if (location.hostname === 'b.example.net') {
                // The top frame would long be complete.
                for (const start = Date.now(); Date.now() < start + 50; );
            }
            console.log('idle');"
        )],
        &["--page", "https://a.example.com/", "--frame", "https://b.example.net/ > https://c.example.org/"],
    );
    assert!(run.went_well, "{:?}", run.errors());
    let said: Vec<String> = run
        .events("console")
        .iter()
        .map(|line| format!("{} {}", line["context"].as_str().unwrap_or_default(), line["text"]))
        .collect();
    assert_eq!(
        said,
        [
            "tab 1 frame 2 \"complete\"",
            "tab 1 frame 2 \"idle\"",
            "tab 1 frame 1 \"complete\"",
            "tab 1 frame 1 \"idle\"",
            "tab 1 \"complete\"",
            "tab 1 \"idle\"",
        ]
    );
}

#[test]
fn a_frame_that_goes_while_it_loads_is_waited_for_no_longer() {
    let files: Files = &[
        (
            "manifest.json",
            r#"{ "manifest_version": 3, "name": "n", "version": "1", "content_scripts": [
                { "matches": ["<all_urls>"], "js": ["start.js"], "all_frames": true, "run_at": "document_start" }] }"#,
        ),
        (
            "start.js",
            "addEventListener('load', () => console.log('load'));
            if (location.hostname === 'b.example.net') {
                for (const start = Date.now(); Date.now() < start + 100; );
            } else {
                document.querySelector('iframe').remove();
            }",
        ),
    ];
    let run = run(&[files], &["--page", "https://a.example.com/", "--frame", "https://b.example.net/"]);
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(run.console("tab 1"), ["load"]);
    let tabs: Vec<_> = run.events("tab").iter().map(|line| line["change"].clone()).collect();
    assert_eq!(tabs, ["opened", "complete"]);
}
