//! Scripts that patch everything they can reach.

use super::{Files, Run, run};
use port_core_webext::script;
use std::collections::BTreeSet;

pub(super) const HOSTILE: &str = include_str!("hostile.js");

const MANIFEST: &str = r#"{ "manifest_version": 3, "name": "NAME", "version": "1", "action": {},
    "permissions": ["tabs", "scripting"], "host_permissions": ["<all_urls>"],
    "background": { "BACKGROUND": BACKGROUND_FILES },
    "content_scripts": [{ "matches": ["<all_urls>"], "js": ["hostile.js", "content.js"], "run_at": "document_start" }] }"#;

/// What the hostile extension does once everything is patched: all of messaging, so that the code of the
/// browser meets what was patched.
const USES: &str = r#"
    async function use(open, send, name) {
        const port = open();
        const answers = [];
        let enough;
        const all = new Promise((resolve) => { enough = resolve; });
        const listener = (message) => { answers[answers.length] = message; if (answers.length === 3) enough(); };
        port.onMessage.addListener(listener);
        port.onMessage.addListener(() => {});
        port.onMessage.hasListener(listener);
        port.onDisconnect.addListener(() => {});
        port.postMessage({ list: [1, 'two', null, { three: 3 }], text: 'x' });
        port.postMessage([undefined, -0, new Date(0)]);
        port.postMessage('last');
        await all;
        port.disconnect();
        try { port.postMessage(1); } catch {}
        try { port.onMessage.addListener(1); } catch {}
        try { chrome.runtime.connect(1, 2, 3); } catch {}
        try { await chrome.runtime.sendMessage(); } catch {}
        const values = [{ a: 1 }, 'later', 'promise', 'reject', 'nothing', 10n, new Map([[1, { a: [] }]]), new Set([1]),
            new Uint8Array(8), new Error('e'), /x/g, Object(1n), [,1], { f: () => {} }, Symbol('s')];
        for (let i = 0; i < values.length; i += 1) {
            try { await send(values[i]); } catch {}
            try { await new Promise((resolve) => send(values[i], () => resolve(chrome.runtime.lastError))); } catch {}
        }
        hostile.log(name, answers.length);
        hostile.tell(name);
    }
    chrome.runtime.onConnect.addListener((port) => {
        port.onMessage.addListener((message, same) => same.postMessage(message));
        port.onDisconnect.addListener(() => {});
    });
    chrome.runtime.onMessage.addListener((message, sender, sendResponse) => {
        if (message === 'later') { setTimeout(() => sendResponse({ late: [1] }), 1); return true; }
        if (message === 'promise') return Promise.resolve({ soon: 1 });
        if (message === 'reject') return Promise.reject(new Error('no'));
        if (message !== 'nothing') sendResponse(message);
    });
"#;

const BACKGROUND: &str = r#"
    chrome.action.onClicked.addListener(async (tab) => {
        const tabs = await chrome.tabs.query({ active: true });
        try { await chrome.tabs.get(12345); } catch {}
        await new Promise((resolve) => chrome.tabs.get(12345, () => resolve(chrome.runtime.lastError)));
        try { chrome.tabs.query({ nonsense: 1 }); } catch {}
        try { await chrome.scripting.executeScript({ target: { tabId: tab.id }, func: (a) => [a], args: [{ b: 1 }] }); } catch {}
        chrome.runtime.getManifest();
        chrome.runtime.getURL('/x');
        await use(() => chrome.tabs.connect(tab.id, { name: 'n', frameId: 0 }), (...given) => chrome.tabs.sendMessage(tab.id, ...given), 'background');
    });
"#;

const CONTENT: &str = r"
    addEventListener('load', () => use(() => chrome.runtime.connect({ name: 'n' }), (...given) => chrome.runtime.sendMessage(...given), 'content'));
";

/// An honest extension on the same threads, whose messages are nobody else's.
const HONEST_BACKGROUND: &str = r"
    chrome.runtime.onConnect.addListener((port) => port.onMessage.addListener((message) => port.postMessage(message + ' back')));
    chrome.runtime.onMessage.addListener((message, sender, sendResponse) => sendResponse(message + ' answered'));
";
const HONEST_CONTENT: &str = r"
    const port = chrome.runtime.connect({ name: 'SECRET name' });
    port.onMessage.addListener(async (message) => {
        console.log(message);
        console.log(await chrome.runtime.sendMessage('SECRET one-off'));
    });
    port.postMessage('SECRET');
";

/// The words in the browser's own code, and the first of the numbers that arrays have.
pub(super) fn names() -> String {
    let code = script::with_polyfills();
    let words = code.split(|character: char| !character.is_alphanumeric() && character != '_');
    let words: BTreeSet<&str> = words.filter(|word| word.starts_with(char::is_alphabetic)).collect();
    let numbers = (0..20).map(|number| number.to_string());
    let names: Vec<String> = words.into_iter().map(str::to_owned).chain(numbers).collect();
    serde_json::to_string(&names).expect("JSON")
}

fn attack(profile: &str) -> Run {
    let (background, files) = match profile {
        "firefox" => ("scripts", r#"["hostile.js", "background.js"]"#),
        _ => ("service_worker", r#""worker.js""#),
    };
    let manifest = |name: &str| {
        let manifest = MANIFEST.replace("NAME", name).replace("BACKGROUND_FILES", files);
        String::leak(manifest.replace("\"BACKGROUND\"", &format!("{background:?}"))) as &'static str
    };
    let patch = format!("var patched = hostile.patch({});\n", names());
    let leak = |parts: &[&str]| &*String::leak(parts.concat());
    let extension = |name: &str, hostile: &'static str, background: &'static str, content: &'static str| {
        let files: Files = vec![
            ("manifest.json", manifest(name)),
            ("worker.js", "importScripts('hostile.js', 'background.js');"),
            ("hostile.js", hostile),
            ("background.js", background),
            ("content.js", content),
        ]
        .leak();
        files
    };
    let hostile =
        extension("hostile", HOSTILE, leak(&[&patch, USES, BACKGROUND]), leak(&[&patch, USES, CONTENT]));
    let honest = extension("honest", "", HONEST_BACKGROUND, HONEST_CONTENT);
    run(&[hostile, honest], &["--profile", profile, "--page", "https://a.example.com/", "--click"])
}

/// Nothing of the browser's own code, and so nothing by which a script could act as another, comes to
/// what a script has patched; and nothing of another extension does.
#[test]
fn a_script_that_patches_everything_hears_nothing_that_is_not_its_own() {
    for profile in ["chromium", "firefox"] {
        let run = attack(profile);
        for context in ["background [hostile]", "tab 1 [hostile]"] {
            let name = context.split([' ', '[']).next().unwrap_or_default().replace("tab", "content");
            assert_eq!(
                run.console(context),
                [format!("{name} 3"), format!("{name}: [] true")],
                "{profile}: {:?}",
                run.errors()
            );
        }
        assert_eq!(run.console("tab 1 [honest]"), ["SECRET back", "SECRET one-off answered"], "{profile}");
    }
}
