//! Pages of the web that connect to extensions. Their scripts are those that extensions run in the page's own world.

use super::{Files, Run, hostile, run};

/// Admits pages of `example.com`, and acts as a script of theirs, which is told the ids by content scripts.
const ADMITTING: Files = &[
    (
        "manifest.json",
        r#"{ "manifest_version": 3, "name": "admitting", "version": "1",
             "externally_connectable": { "matches": ["https://*.example.com/*"] },
             "background": { "scripts": ["background.js"], "service_worker": "background.js" },
             "content_scripts": [
                 { "matches": ["<all_urls>"], "js": ["page.js"], "world": "MAIN", "run_at": "document_start" },
                 { "matches": ["<all_urls>"], "js": ["content.js"] }] }"#,
    ),
    (
        "background.js",
        "const { runtime } = chrome;
        const shown = (sender) => `${Object.keys(sender).sort()} ${sender.url} ${sender.origin} ${sender.tab?.id} ${sender.frameId}`;
        runtime.onMessage.addListener(() => console.log('as its own'));
        runtime.onConnect.addListener(() => console.log('as its own'));
        runtime.onMessageExternal.addListener((message, sender, respond) => {
            console.log(message, shown(sender));
            respond('answer');
        });
        runtime.onConnectExternal.addListener((port) => {
            console.log(port.name, shown(port.sender));
            port.onMessage.addListener((message) => { port.postMessage(message + ' back'); port.disconnect(); });
        });",
    ),
    (
        "page.js",
        "const ids = {};
        addEventListener('message', ({ data: { name, id } }) => {
            ids[name] = id;
            if (Object.keys(ids).length === 2) {
                use(ids).then(() => console.log('done'));
            }
        });
        const told = (call) => { try { return call().then(String, String); } catch (error) { return String(error); } };
        const end = (port) => new Promise((resolve) => port.onDisconnect.addListener(() => resolve(`${chrome.runtime.lastError?.message}`)));
        async function use({ admitting, closed }) {
            console.log(Object.keys(chrome).sort().join(), typeof browser);
            const { runtime } = chrome;
            if (runtime === undefined) {
                return;
            }
            console.log(Object.getOwnPropertyNames(runtime).filter((name) => typeof runtime[name] === 'function').join(), runtime.id, Object.keys(browser).join(), browser.runtime === runtime);
            console.log(await told(() => runtime.sendMessage(admitting, 'message')));
            const port = runtime.connect(admitting, { name: 'port' });
            const heard = new Promise((resolve) => port.onMessage.addListener(resolve));
            port.postMessage('posted');
            console.log(await heard, await end(port));
            for (const id of [closed, 'a'.repeat(32)]) {
                console.log(await told(() => runtime.sendMessage(id, 'message')));
                console.log(await end(runtime.connect(id)));
            }
            console.log(await told(() => runtime.sendMessage({ a: 1 })));
            console.log(await told(() => runtime.sendMessage('', 'x')));
            console.log(await told(async () => runtime.connect({ name: 'x' })));
            console.log(await told(() => runtime.sendMessage('zzz', 'x')));
        }",
    ),
    ("content.js", "window.postMessage({ name: 'admitting', id: chrome.runtime.id }, '*');"),
];

/// Admits every extension, and no page.
const CLOSED: Files = &[
    (
        "manifest.json",
        r#"{ "manifest_version": 3, "name": "closed", "version": "1", "externally_connectable": { "ids": ["*"] },
             "background": { "scripts": ["background.js"], "service_worker": "background.js" },
             "content_scripts": [{ "matches": ["<all_urls>"], "js": ["content.js"] }] }"#,
    ),
    (
        "background.js",
        "for (const event of ['onMessage', 'onConnect', 'onMessageExternal', 'onConnectExternal']) {
            chrome.runtime[event].addListener(() => console.log(event));
        }",
    ),
    ("content.js", "window.postMessage({ name: 'closed', id: chrome.runtime.id }, '*');"),
];

const NOBODY: &str = "Could not establish connection. Receiving end does not exist.";

fn check_admitted(run: &Run) {
    assert!(run.went_well, "{:?}", run.errors());
    let error = format!("Error: {NOBODY}");
    let send = "TypeError: Error in invocation of runtime.sendMessage(optional string extensionId, any message, optional object options, optional function callback): ";
    let connect = "TypeError: Error in invocation of runtime.connect(optional string extensionId, optional object connectInfo): ";
    let missing = |method: &str| {
        format!(
            "chrome.runtime.{method}() called from a webpage must specify an Extension ID (string) for its first argument."
        )
    };
    let missing_id = format!("{send}{}", missing("sendMessage"));
    assert_eq!(
        run.console("tab 1 (page)"),
        [
            "app,csi,loadTimes,runtime object",
            "connect,sendMessage undefined runtime true",
            "answer",
            "posted back undefined",
            &error,
            NOBODY,
            &error,
            NOBODY,
            &missing_id,
            &missing_id,
            &format!("{connect}{}", missing("connect")),
            &format!("{send}Invalid extension id: 'zzz'"),
            "done",
        ]
    );
    let sender = "documentId,documentLifecycle,frameId,origin,tab,url https://a.example.com/ https://a.example.com 1 0";
    let heard = run.console("background [admitting]");
    assert_eq!(heard, [format!("message {sender}"), format!("port {sender}")]);
    assert_eq!(run.console("background [closed]"), [""; 0]);
}

#[test]
fn a_page_that_an_extension_admits_connects_to_it_and_to_no_other() {
    check_admitted(&run(&[ADMITTING, CLOSED], &["--page", "https://a.example.com/"]));
}

#[cfg(unix)]
#[test]
fn a_page_in_a_process_of_its_own_connects_too() {
    check_admitted(&super::processes::run(&[ADMITTING, CLOSED], &["--page", "https://a.example.com/"]));
}

#[test]
fn a_page_that_no_extension_admits_has_no_api() {
    let elsewhere = run(&[ADMITTING, CLOSED], &["--page", "https://example.org/"]);
    assert_eq!(elsewhere.console("tab 1 (page)"), ["app,csi,loadTimes undefined", "done"]);
    // Firefox has no `chrome` in pages at all.
    let options = ["--page", "https://a.example.com/", "--profile", "firefox"];
    let firefox = run(&[ADMITTING, CLOSED], &options);
    assert_eq!(firefox.console("tab 1 (page)"), [""; 0]);
    for run in [elsewhere, firefox] {
        assert_eq!(run.console("background [admitting]"), [""; 0], "{:?}", run.errors());
    }
}

/// Whatever a page patches, it meets nothing of the browser's own code, by which it could do more than connect.
#[test]
fn a_page_that_patches_everything_reaches_nothing_but_its_own_two_calls() {
    let page = format!(
        "var patched = hostile.patch({});
        addEventListener('message', ({{ data: {{ name, id }} }}) => {{ if (name === 'admitting') attack(id); }});
        async function attack(id) {{
            const {{ runtime }} = chrome;
            for (const given of [[id, 'x'], [id, {{ a: [1, null] }}, {{}}], [id], [null, 1], [{{ a: 1 }}], ['z', 1], [id, 10n]]) {{
                try {{ await runtime.sendMessage(...given); }} catch {{}}
                try {{ await new Promise((resolve) => runtime.sendMessage(...given, () => resolve(runtime.lastError))); }} catch {{}}
            }}
            const port = runtime.connect(id, {{ name: 'n' }});
            const end = new Promise((resolve) => port.onDisconnect.addListener(resolve));
            port.onMessage.addListener(() => {{}});
            port.postMessage({{ list: [1, 'two'] }});
            await end;
            try {{ port.postMessage(1); }} catch {{}}
            try {{ runtime.connect(1, 2, 3); }} catch {{}}
            hostile.tell('page');
        }}",
        hostile::names()
    );
    let mut files = ADMITTING.to_vec();
    files[2].1 = String::leak([hostile::HOSTILE, &page].concat());
    let run = run(&[files.leak(), CLOSED], &["--page", "https://a.example.com/"]);
    assert_eq!(run.console("tab 1 (page)"), ["page: [] true"], "{:?}", run.errors());
}
