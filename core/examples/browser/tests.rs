//! Whole runs, from the command line to the log.

use crate::arguments::Arguments;
use crate::extension::Folder;
use crate::log::Log;
use serde_json::Value;
use std::path::Path;

/// What a run wrote, line by line.
struct Run {
    lines: Vec<Value>,
    went_well: bool,
}

/// The files of an extension, by name.
type Files = &'static [(&'static str, &'static str)];

/// Runs extensions with the options given.
fn run(extensions: &[Files], options: &[&str]) -> Run {
    // Long enough for the slowest machine: no run here ends by the time limit,
    // unless the option comes again.
    let options = ["--json", "--time", "300"].iter().chain(options);
    let parsed = Arguments::parse(lexopt::Parser::from_args(options)).expect("valid options");
    let mut arguments = parsed.expect("no help");
    if !extensions.is_empty() {
        let folder = |(&name, &files)| Folder::Embedded { name, files };
        arguments.extensions = ["first", "second"].iter().zip(extensions).map(folder).collect();
    }
    let (log, memory) = Log::to_memory();
    let went_well = crate::run(arguments, log);
    let bytes = memory.lock().expect("no thread panicked");
    let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    Run { lines: lines.map(|line| serde_json::from_slice(line).expect("JSON")).collect(), went_well }
}

impl Run {
    /// The lines of one kind.
    fn events(&self, event: &str) -> Vec<&Value> {
        self.lines.iter().filter(|line| line["event"] == event).collect()
    }

    /// What a context wrote to the console.
    fn console(&self, context: &str) -> Vec<&str> {
        let lines = self.events("console").into_iter().filter(|line| line["context"] == context);
        lines.map(|line| line["text"].as_str().expect("a text")).collect()
    }

    /// The errors, as `file:line:column message`.
    fn errors(&self) -> Vec<String> {
        let show = |error: &&Value| {
            let place = [&error["line"], &error["column"]].map(ToString::to_string).join(":");
            let file = error["file"].as_str().unwrap_or("?");
            format!("{file}:{place} {}", error["message"].as_str().expect("a text"))
        };
        self.events("error").iter().map(show).collect()
    }

    fn summary(&self) -> &Value {
        self.lines.last().filter(|line| line["event"] == "summary").expect("a summary at the end")
    }
}

/// A background and a content script in every frame, with a button.
macro_rules! extension {
    ($background:expr, $content:expr) => {
        &[
            (
                "manifest.json",
                r#"{ "manifest_version": 3, "name": "Test", "version": "1", "action": {}, "permissions": ["tabs"],
                     "background": { "service_worker": "background.js" },
                     "content_scripts": [{ "matches": ["<all_urls>"], "js": ["content.js"], "all_frames": true }] }"#,
            ),
            ("background.js", $background),
            ("content.js", $content),
        ]
    };
}

const ONE_PAGE: [&str; 2] = ["--page", "https://a.example.com/"];
const ONE_PAGE_AND_A_CLICK: [&str; 3] = ["--page", "https://a.example.com/", "--click"];

#[test]
fn the_sample_talks_to_every_frame() {
    let run = run(&[], &[]);
    assert!(run.went_well, "{:?}", run.errors());

    // 2,001 messages to each of four and then two frames, and as many back.
    let summary = run.summary();
    assert_eq!(summary["posts"], 2_001 * (1 + 4) + 2_001 * (1 + 2));
    assert_eq!(summary["deliveries"], 2_001 * (4 + 4) + 2_001 * (2 + 2));
    assert_eq!((&summary["connects"], &summary["accepts"]), (&2.into(), &6.into()));
    assert_eq!(summary["disconnects"], serde_json::json!({ "the other side's tab was closed": 1 }));
    assert_eq!(summary["stopped"], false);
    // News and its comments, ads and pay, video and shop; and the background.
    assert_eq!(summary["threads"], 4);

    let mut heard = run.console("background");
    let disconnected =
        heard.iter().position(|text| *text == "disconnected: no error").expect("tab 1 was closed");
    heard.remove(disconnected);
    heard[..disconnected].sort_unstable();
    heard[disconnected..].sort_unstable();
    assert_eq!(
        heard,
        [
            "heard: Hi from ads.example.net/",
            "heard: Hi from news.example.com/",
            "heard: Hi from news.example.com/comments",
            "heard: Hi from video.example.org/",
            "heard: Hi from pay.example.net/",
            "heard: Hi from shop.example.org/",
        ]
    );
}

#[test]
fn the_sample_is_an_unpacked_extension_like_any_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/browser/sample-extension");
    let folder = folder.to_str().expect("UTF-8");
    let run = run(&[], &["--extension", folder, "--page", "https://www.example.org/", "--click"]);
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(run.console("background"), ["heard: Hi from www.example.org/"]);
}

#[test]
fn a_faulty_manifest_is_reported_and_the_other_extension_runs() {
    let faulty: Files =
        &[("manifest.json", "{\n  \"manifest_version\": 3,\n  \"name\": \"n\",\n  \"version\": 1\n}")];
    let sound: Files = extension!("", "console.log('here')");
    let run = run(&[faulty, sound], &ONE_PAGE);
    assert!(!run.went_well);
    let errors = run.errors();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].contains("manifest.json:4:") && errors[0].contains("expected a string"), "{errors:?}");
    assert_eq!(run.console("tab 1"), ["here"]);
}

#[test]
fn faulty_scripts_are_reported_with_their_place_and_the_others_run() {
    let syntax: Files = extension!("let a = 1;\nlet b = = 2;\n", "\n\n  missing();");
    let sound: Files = extension!("console.log('background runs')", "console.log('content runs')");
    let run = run(&[syntax, sound], &ONE_PAGE);
    assert!(!run.went_well);
    let errors = run.errors();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].contains("first/background.js:2:") && errors[0].contains("SyntaxError"), "{errors:?}");
    assert!(errors[1].contains("first/content.js:3:3 ReferenceError"), "{errors:?}");
    assert_eq!(run.summary()["errors"], 2);
    let texts: Vec<_> = run.events("console").iter().map(|line| line["text"].clone()).collect();
    assert_eq!(texts, ["background runs", "content runs"]);
}

#[test]
fn a_listener_that_throws_keeps_nobody_else_from_running() {
    let run = run(
        &[extension!(
            "chrome.action.onClicked.addListener((tab) => {
                const port = chrome.tabs.connect(tab.id);
                port.onMessage.addListener(() => { throw new Error('first listener'); });
                port.onMessage.addListener((message) => console.log(message));
                port.postMessage('question');
            });",
            "chrome.runtime.onConnect.addListener(() => { null.missing; });
            chrome.runtime.onConnect.addListener((port) => port.onMessage.addListener((message) => port.postMessage(`answer to ${message}`)));"
        )],
        &ONE_PAGE_AND_A_CLICK,
    );
    assert_eq!(run.console("background"), ["answer to question"]);
    let errors = run.errors();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].contains("content.js:1:") && errors[0].contains("TypeError"), "{errors:?}");
    assert!(
        errors[1].contains("background.js:3:") && errors[1].contains("Error: first listener"),
        "{errors:?}"
    );
    assert!(!run.went_well);
}

#[test]
fn a_tab_closed_under_an_open_port_ends_the_port_before_the_call_is_answered() {
    let run = run(
        &[extension!(
            "browser.action.onClicked.addListener(async (tab) => {
                const port = browser.tabs.connect(tab.id, { name: 'to be closed' });
                port.onDisconnect.addListener((same) => console.log('disconnected', same === port, browser.runtime.lastError));
                port.onMessage.addListener(async (message) => {
                    console.log(message);
                    await browser.tabs.remove(tab.id);
                    console.log('removed');
                    try { port.postMessage('too late'); } catch (error) { console.log(String(error)); }
                    await browser.tabs.get(tab.id).catch((error) => console.log(error.message));
                });
            });
            browser.tabs.onRemoved.addListener((tab, info) => console.log('onRemoved', tab, info));",
            "browser.runtime.onConnect.addListener((port) => {
                if (self === top_of(port)) { port.postMessage('hello'); }
            });
            function top_of(port) { return location.hostname === 'a.example.com' ? self : undefined; }"
        )],
        &["--page", "https://a.example.com/", "--frame", "https://b.example.net/", "--page", "https://c.example.org/", "--click"],
    );
    assert!(run.went_well, "{:?}", run.errors());
    let console = run.console("background");
    let position = |text: &str| {
        console.iter().position(|line| *line == text).unwrap_or_else(|| panic!("{text:?} in {console:?}"))
    };
    assert!(position("hello") < position("disconnected true undefined"));
    assert!(position("disconnected true undefined") < position("removed"));
    assert!(position("removed") < position("Error: Attempting to use a disconnected port object"));
    position("onRemoved 1 {\"isWindowClosing\":false,\"windowId\":1}");
    position("No tab with id: 1.");
}

#[test]
fn a_port_without_a_receiver_ends_with_the_one_text_and_never_at_once() {
    const BACKGROUND: &str = "
        const port = chrome.tabs.connect(99, { name: 'nobody' });
        port.onDisconnect.addListener((port) => console.log('onDisconnect', chrome.runtime.lastError?.message, String(port.error)));
        port.postMessage('accepted');
        Promise.resolve().then(() => console.log('microtask'));
        console.log('returned', chrome.runtime.lastError);";
    const TEXT: &str = "Could not establish connection. Receiving end does not exist.";

    let chromium = run(&[extension!(BACKGROUND, "")], &ONE_PAGE);
    let expected = format!("onDisconnect {TEXT} undefined");
    assert_eq!(chromium.console("background"), ["returned undefined", "microtask", &expected]);
    assert!(chromium.went_well);

    let firefox =
        run(&[extension!(BACKGROUND, "")], &["--profile", "firefox", "--page", "https://a.example.com/"]);
    let expected = format!("onDisconnect undefined Error: {TEXT}");
    assert_eq!(firefox.console("background"), ["returned undefined", "microtask", &expected]);
}

#[test]
fn a_content_script_connects_to_its_background() {
    let run = run(
        &[extension!(
            "chrome.runtime.onConnect.addListener((port) => {
                const { id, origin, url, frameId, documentId, documentLifecycle, tab } = port.sender;
                console.log(id === chrome.runtime.id, origin, url, frameId, documentId.length, documentLifecycle, tab.id, tab.url);
                port.onMessage.addListener((message, same) => port.postMessage([message, same === port]));
            });",
            "const port = chrome.runtime.connect({ name: location.host });
            port.onMessage.addListener((message) => { console.log(message); port.disconnect(); });
            port.postMessage({ from: location.href });
            console.log(typeof chrome.tabs, port.sender, window === globalThis, document.readyState);"
        )],
        &["--page", "https://a.example.com/", "--frame", "https://b.example.net/x"],
    );
    assert!(run.went_well, "{:?}", run.errors());
    let mut background = run.console("background");
    background.sort_unstable();
    assert_eq!(
        background,
        [
            "true https://a.example.com https://a.example.com/ 0 32 active 1 https://a.example.com/",
            "true https://b.example.net https://b.example.net/x 1 32 active 1 https://a.example.com/",
        ]
    );
    let surface = "undefined undefined true complete";
    assert_eq!(run.console("tab 1"), [surface, "[{\"from\":\"https://a.example.com/\"},true]"]);
    assert_eq!(run.console("tab 1 frame 1"), [surface, "[{\"from\":\"https://b.example.net/x\"},true]"]);
    assert_eq!(run.summary()["disconnects"], serde_json::json!({ "the other side disconnected": 2 }));
}

#[test]
fn each_message_is_a_task_with_a_microtask_checkpoint_behind_all_listeners() {
    let run = run(
        &[extension!(
            "chrome.action.onClicked.addListener((tab) => {
                const port = chrome.tabs.connect(tab.id);
                for (let i = 0; i < 2; i++) { port.postMessage(i); }
                port.disconnect();
                try { port.postMessage('closed'); } catch (error) { console.log(error.message); }
                port.disconnect();
            });",
            "chrome.runtime.onConnect.addListener((port) => {
                console.log('onConnect');
                Promise.resolve().then(() => console.log('microtask'));
                for (const name of ['A', 'B']) {
                    port.onMessage.addListener((message) => {
                        console.log(name, message);
                        queueMicrotask(() => console.log('microtask of', name, message));
                    });
                }
                port.onDisconnect.addListener(() => console.log('onDisconnect'));
            });"
        )],
        &ONE_PAGE_AND_A_CLICK,
    );
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(
        run.console("tab 1"),
        [
            "onConnect",
            "microtask",
            "A 0",
            "B 0",
            "microtask of A 0",
            "microtask of B 0",
            "A 1",
            "B 1",
            "microtask of A 1",
            "microtask of B 1",
            "onDisconnect",
        ]
    );
    assert_eq!(run.console("background"), ["Attempting to use a disconnected port object"]);
}

#[test]
fn listeners_are_kept_once_and_dispatch_works_on_a_copy() {
    let content = "chrome.runtime.onConnect.addListener((port) => {
        const removed = () => console.log('removed is called');
        const added = () => console.log('added is called');
        const first = (message) => {
            console.log('first', message);
            if (message === 0) { port.onMessage.removeListener(removed); port.onMessage.addListener(added); }
        };
        port.onMessage.addListener(first);
        port.onMessage.addListener(first);
        port.onMessage.addListener(removed);
        port.onMessage.addListener(5);
        console.log(port.onMessage.hasListener(first), port.onMessage.hasListener(added), typeof port.onMessage.hasListeners);
    });";
    let background = "chrome.action.onClicked.addListener((tab) => {
        const port = chrome.tabs.connect(tab.id);
        port.postMessage(0);
        port.postMessage(1);
    });";
    static CHROMIUM: [&str; 5] =
        ["true false function", "first 0", "removed is called", "first 1", "added is called"];
    static FIREFOX: [&str; 4] = ["true false undefined", "first 0", "first 1", "added is called"];
    let files: Files = Vec::leak(extension!(background, content).to_vec());
    assert_eq!(run(&[files], &ONE_PAGE_AND_A_CLICK).console("tab 1"), CHROMIUM);
    let options = [&ONE_PAGE_AND_A_CLICK[..], &["--profile", "firefox"]].concat();
    assert_eq!(run(&[files], &options).console("tab 1"), FIREFOX);
}

#[test]
fn arguments_are_checked_at_once_with_the_browsers_texts() {
    const BACKGROUND: &str = "
        const attempt = (...given) => {
            try {
                chrome.tabs.connect(...given).onDisconnect.addListener(() => chrome.runtime.lastError);
                console.log('ok');
            } catch (error) {
                console.log(String(error));
            }
        };
        attempt(-1); attempt(1.5); attempt('1'); attempt(); attempt(1, 'name'); attempt(1, {}, 1);
        attempt(1, { frameId: -5 }); attempt(1, { frameId: '0' }); attempt(1, { name: 5 }); attempt(1, { foo: 1 });
        attempt(1, null); attempt(1, { frameId: null, name: undefined }); attempt(2 ** 31);";

    let run_as = |profile| {
        run(&[extension!(BACKGROUND, "")], &["--profile", profile, "--page", "https://a.example.com/"])
    };
    let chromium = |text| {
        format!(
            "TypeError: Error in invocation of tabs.connect(integer tabId, optional object connectInfo): {text}"
        )
    };
    let signature = chromium("No matching signature.");
    let info = "Error at parameter 'connectInfo': ";
    assert_eq!(
        run_as("chromium").console("background"),
        [
            chromium("Error at parameter 'tabId': Value must be at least 0."),
            signature.clone(),
            signature.clone(),
            signature.clone(),
            signature.clone(),
            signature.clone(),
            chromium(&format!("{info}Error at property 'frameId': Value must be at least 0.")),
            chromium(&format!(
                "{info}Error at property 'frameId': Invalid type: expected integer, found string."
            )),
            chromium(&format!(
                "{info}Error at property 'name': Invalid type: expected string, found integer."
            )),
            chromium(&format!("{info}Unexpected property: 'foo'.")),
            "ok".to_owned(),
            "ok".to_owned(),
            signature,
        ]
    );

    let signature = "Error: Incorrect argument types for tabs.connect.";
    let info = "Error: Type error for parameter connectInfo";
    assert_eq!(
        run_as("firefox").console("background"),
        [
            "Error: Type error for parameter tabId (Integer -1 is too small (must be at least 0)) for tabs.connect.",
            signature,
            signature,
            signature,
            signature,
            signature,
            &format!(
                "{info} (Error processing frameId: Integer -5 is too small (must be at least 0)) for tabs.connect."
            ),
            &format!(
                "{info} (Error processing frameId: Expected integer instead of \"0\") for tabs.connect."
            ),
            &format!("{info} (Error processing name: Expected string instead of 5) for tabs.connect."),
            &format!("{info} (Unexpected property \"foo\") for tabs.connect."),
            "ok",
            "ok",
            "ok",
        ]
    );
}

#[test]
fn messages_are_json() {
    let run = run(
        &[extension!(
            "chrome.action.onClicked.addListener((tab) => {
                const port = chrome.tabs.connect(tab.id);
                const circle = {};
                circle.self = circle;
                for (const bad of [circle, 1n, () => {}, Symbol('s'), { get g() { throw new Error('no'); } }]) {
                    try { port.postMessage(bad); } catch (error) { console.log(String(error)); }
                }
                const sent = { n: NaN, d: new Date(0), u: undefined, a: [1, , undefined], text: '\\ud800 \\u0000 é 🙂', ['__proto__']: 1 };
                port.postMessage(sent);
                sent.n = 'changed after posting';
                port.postMessage();
            });",
            "chrome.runtime.onConnect.addListener((port) => {
                console.log(port.name.length);
                port.onMessage.addListener((message) => console.log(JSON.stringify(message)));
            });"
        )],
        &ONE_PAGE_AND_A_CLICK,
    );
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(run.console("background"), ["Error: Could not serialize message."; 5]);
    assert_eq!(
        run.console("tab 1"),
        [
            "0",
            r#"{"n":null,"d":"1970-01-01T00:00:00.000Z","a":[1,null,null],"text":"\ud800 \u0000 é 🙂","__proto__":1}"#,
            "null",
        ]
    );
}

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
                await browser.tabs.update(made.id, { url: 'https://c.example.org/' });
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
            "https://c.example.org/",
            "1",
        ]
    );
}

#[test]
fn timers_run_in_the_order_they_are_due() {
    let run = run(
        &[extension!(
            "setTimeout(() => console.log('second'), 20);
            setTimeout((a, b) => console.log('first', a, b), 1, 'x', 'y');
            clearTimeout(setTimeout(() => console.log('never'), 2));
            let ticks = 0;
            const interval = setInterval(() => { if (++ticks === 3) { clearInterval(interval); console.log('three ticks'); } }, 30);
            setTimeout(() => { throw new Error('in a timer'); }, 1);",
            ""
        )],
        &ONE_PAGE,
    );
    assert_eq!(run.console("background"), ["first x y", "second", "three ticks"]);
    assert!(run.errors()[0].contains("background.js:6:"), "{:?}", run.errors());
}

#[test]
fn a_script_that_never_ends_is_stopped_and_the_other_extension_runs() {
    let endless: Files = extension!("for (;;) {}", "");
    let sound: Files = extension!("console.log('here')", "console.log('there')");
    let run = run(&[endless, sound], &["--page", "https://a.example.com/", "--time", "0.5"]);
    assert_eq!(run.events("console").len(), 2);
    assert_eq!(run.summary()["stopped"], true);
    assert!(run.errors()[0].contains("first/background.js:1:"), "{:?}", run.errors());
}

#[test]
fn unhandled_rejections_are_reported_and_handled_ones_are_not() {
    let run = run(
        &[extension!(
            "Promise.reject(new Error('handled')).catch(() => {});
            const late = Promise.reject(new Error('handled a little later'));
            Promise.resolve().then(() => late.catch(() => {}));
            Promise.reject(new Error('unhandled'));",
            ""
        )],
        &ONE_PAGE,
    );
    let errors = run.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("background.js:4:") && errors[0].contains("Error: unhandled"), "{errors:?}");
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
