//! Backgrounds that are stopped when they are idle, and started by what comes for them.

use super::{Files, Run, extension, run};
use serde_json::Value;
use std::thread;

/// Short, so that backgrounds are stopped soon; `--rest` waits for it. No script runs in the first page, for nobody knows
/// whether it would come before the first stop.
const IDLE: [&str; 4] = ["--page", "about:blank", "--idle", "0.2"];
const OPEN: [&str; 2] = ["--open", "https://b.example.com/"];

/// How often the two extensions that start together do so.
const STARTS: &str = "PORT_CORE_STARTS";

/// What the log says of backgrounds.
fn changes(run: &Run) -> Vec<String> {
    let text = |line: &Value, key: &str| line[key].as_str().expect("a text").to_owned();
    run.events("background")
        .iter()
        .map(|line| format!("{}: {}", text(line, "change"), text(line, "why")))
        .collect()
}

const LOADED: &str = "starts: its extension was loaded";
const WANTED: &str = "starts: somebody connects to it";
const IDLE_FOR: &str = "stops: nothing came for it for 0.2 s";

const COUNTING: Files = extension!(
    "let count = 0;
     chrome.runtime.onInstalled.addListener((details) => console.log(JSON.stringify(details)));
     chrome.runtime.onStartup.addListener(() => console.log('never'));
     chrome.runtime.onSuspend.addListener(() => console.log('suspended'));
     chrome.runtime.onConnect.addListener((port) => {
         port.onMessage.addListener((message) => port.postMessage(`${message} ${++count}`));
     });",
    "const port = chrome.runtime.connect({ name: 'greeting' });
     port.onMessage.addListener((message) => console.log(message));
     port.onDisconnect.addListener(() => console.log('the end', chrome.runtime.lastError ?? 'without an error'));
     port.postMessage('hello');"
);

#[test]
fn an_idle_background_is_stopped_and_the_next_connect_starts_it() {
    let options = [&IDLE[..], &["--rest"], &OPEN, &["--rest"], &OPEN, &["--rest"]].concat();
    let run = run(&[COUNTING], &options);
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(changes(&run), [LOADED, IDLE_FOR, WANTED, IDLE_FOR, WANTED, IDLE_FOR]);
    // It begins from nothing, and was installed once.
    for tab in ["tab 2", "tab 3"] {
        assert_eq!(run.console(tab), ["hello 1", "the end without an error"]);
    }
    assert_eq!(run.console("background"), [r#"{"reason":"install"}"#]);
    let woken: Vec<_> = run.events("wake").iter().map(|line| line["context"].clone()).collect();
    assert_eq!(woken, ["tab 2", "tab 3"]);
    let ends: Vec<_> = run.events("disconnected").iter().map(|line| line["reason"].clone()).collect();
    assert_eq!(ends, ["the other side's background was stopped"; 2]);
}

#[test]
fn firefox_tells_a_background_that_it_is_stopped() {
    let options = [&IDLE[..], &["--profile", "firefox", "--rest"], &OPEN, &["--rest"]].concat();
    let run = run(&[EVENT_PAGE], &options);
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(changes(&run), [LOADED, IDLE_FOR, WANTED, IDLE_FOR]);
    assert_eq!(run.console("background"), ["suspended"]);
    // What it says then still arrives.
    assert_eq!(run.console("tab 2"), ["hello 1", "farewell", "the end"]);
}

const EVENT_PAGE: Files = &[
    (
        "manifest.json",
        r#"{ "manifest_version": 2, "name": "Test", "version": "1",
             "background": { "scripts": ["background.js"], "persistent": false },
             "content_scripts": [{ "matches": ["<all_urls>"], "js": ["content.js"] }] }"#,
    ),
    (
        "background.js",
        "let count = 0;
         browser.runtime.onConnect.addListener((port) => {
             port.onMessage.addListener((message) => port.postMessage(`${message} ${++count}`));
             browser.runtime.onSuspend.addListener(() => {
                 console.log('suspended');
                 port.postMessage('farewell');
             });
         });",
    ),
    (
        "content.js",
        "const port = browser.runtime.connect();
         port.onMessage.addListener((message) => console.log(message));
         port.onDisconnect.addListener(() => console.log('the end'));
         port.postMessage('hello');",
    ),
];

#[test]
fn a_background_that_is_persistent_is_never_stopped() {
    let persistent: Files = &[
        (
            "manifest.json",
            r#"{ "manifest_version": 2, "name": "Test", "version": "1", "background": { "scripts": ["background.js"] } }"#,
        ),
        ("background.js", ""),
    ];
    let run = run(&[persistent], &[&IDLE[..], &["--rest"]].concat());
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(changes(&run), [LOADED]);
}

#[test]
fn an_event_with_a_listener_starts_a_background_and_waits_for_it() {
    let listening: Files = extension!(
        "chrome.tabs.onCreated.addListener((tab) => console.log('created', tab.id));
         chrome.tabs.onRemoved.addListener(never);
         chrome.tabs.onRemoved.removeListener(never);
         function never() { console.log('never'); }",
        ""
    );
    let options = [&IDLE[..], &["--rest"], &OPEN, &["--rest", "--close", "--rest"]].concat();
    let run = run(&[listening], &options);
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(run.console("background"), ["created 1", "created 2"]);
    // Nobody listens to what came with the tab's end.
    let changes = changes(&run);
    let created = "starts: it listens to tabs.onCreated";
    assert!(changes.ends_with(&[created.to_owned(), IDLE_FOR.to_owned()]), "{changes:?}");
    assert!(changes.iter().all(|change| !change.contains("onRemoved")), "{changes:?}");
}

#[test]
fn a_click_starts_a_background() {
    let clicked: Files = extension!("chrome.action.onClicked.addListener(() => console.log('clicked'));", "");
    let run = run(&[clicked], &[&IDLE[..], &["--rest", "--click"]].concat());
    assert_eq!(run.console("background"), ["clicked"]);
    assert_eq!(changes(&run), [LOADED, IDLE_FOR, "starts: it listens to action.onClicked", IDLE_FOR]);
}

#[test]
fn an_alarm_starts_a_background_and_so_it_goes_on_from_start_to_start() {
    let alarming: Files = &[
        (
            "manifest.json",
            r#"{ "manifest_version": 3, "name": "Test", "version": "1", "permissions": ["alarms", "storage"],
                 "background": { "service_worker": "background.js" } }"#,
        ),
        (
            "background.js",
            "chrome.runtime.onInstalled.addListener(() => chrome.alarms.create('a', { delayInMinutes: 0.02 }));
             chrome.alarms.onAlarm.addListener(async () => {
                 const { count = 1 } = await chrome.storage.local.get('count');
                 console.log('alarm', count);
                 await chrome.storage.local.set({ count: count + 1 });
                 if (count < 2) { chrome.alarms.create('a', { delayInMinutes: 0.02 }); }
             });",
        ),
    ];
    let run = run(&[alarming], &IDLE);
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(run.console("background"), ["alarm 1", "alarm 2"]);
    assert!(
        changes(&run).contains(&"starts: it listens to alarms.onAlarm".to_owned()),
        "{:?}",
        changes(&run)
    );
}

#[test]
fn in_chromium_a_message_without_an_answer_keeps_a_background_awake() {
    let keeping: Files = extension!(
        "chrome.runtime.onMessage.addListener((message, sender, respond) => { setTimeout(respond, 900, 'late'); return true; });",
        "chrome.runtime.sendMessage('question').then(console.log, (error) => console.log(error.message));"
    );
    let run = run(&[keeping], &[&IDLE[..], &["--rest"], &OPEN].concat());
    assert_eq!(run.console("tab 2"), ["late"]);
    assert_eq!(
        changes(&run),
        [LOADED, IDLE_FOR, WANTED, "stays awake: messages without an answer: 1", IDLE_FOR]
    );
}

#[test]
fn in_chromium_a_message_that_is_never_answered_keeps_a_background_awake_for_a_while() {
    let silent: Files = extension!(
        "chrome.runtime.onMessage.addListener(() => true);",
        "chrome.runtime.sendMessage('question').then(console.log, (error) => console.log(error.message));"
    );
    let options = [&IDLE[..], &["--unanswered", "0.7", "--rest"], &OPEN, &["--rest"]].concat();
    let run = run(&[silent], &options);
    assert!(run.went_well, "{:?}", run.errors());
    let stays = "stays awake: messages without an answer: 1";
    assert_eq!(changes(&run), [LOADED, IDLE_FOR, WANTED, stays, IDLE_FOR]);
    let lost = "A listener indicated an asynchronous response by returning true, but the message channel closed before a response was received";
    assert_eq!(run.console("tab 2"), [lost]);
}

#[test]
fn in_chromium_a_background_s_own_message_keeps_it_awake_no_longer() {
    let asking: Files = extension!(
        "chrome.runtime.onConnect.addListener((port) => chrome.tabs.sendMessage(port.sender.tab.id, 'question'));",
        "chrome.runtime.onMessage.addListener(() => true);
         chrome.runtime.connect().onDisconnect.addListener(() => console.log('the end'));"
    );
    let options = [&IDLE[..], &["--unanswered", "0.7", "--rest"], &OPEN, &["--rest"]].concat();
    let run = run(&[asking], &options);
    let stays = "stays awake: messages without an answer: 1";
    assert_eq!(changes(&run), [LOADED, IDLE_FOR, WANTED, stays, IDLE_FOR]);
    assert_eq!(run.console("tab 2"), ["the end"]);
}

#[test]
fn a_worker_that_throws_does_not_start_and_whoever_waits_hears_that_nobody_is_there() {
    let throwing: Files = extension!(
        "chrome.runtime.onMessage.addListener((message, sender, respond) => respond('never'));
         throw new Error('on purpose');",
        "chrome.runtime.sendMessage('question').catch((error) => console.log(error.message));
         chrome.runtime.connect().onDisconnect.addListener(() => console.log(chrome.runtime.lastError.message));"
    );
    let run = run(&[throwing], &[&IDLE[..], &OPEN].concat());
    assert!(!run.went_well);
    let text = "Could not establish connection. Receiving end does not exist.";
    assert_eq!(run.console("tab 2"), [text; 2]);
    let failed = "fails to start: its script threw";
    assert_eq!(changes(&run), [LOADED, failed, WANTED, failed]);
}

/// A worker that is a module, with another that it imports.
macro_rules! module_worker {
    ($background:expr, $other:expr) => {
        &[
            (
                "manifest.json",
                r#"{ "manifest_version": 3, "name": "Test", "version": "1",
                     "background": { "service_worker": "background.js", "type": "module" },
                     "content_scripts": [{ "matches": ["<all_urls>"], "js": ["content.js"] }] }"#,
            ),
            ("background.js", $background),
            ("other.js", $other),
            (
                "content.js",
                "chrome.runtime.sendMessage('question').then(console.log, (error) => console.log(error.message));
                 chrome.runtime.connect().onDisconnect.addListener(() => console.log(chrome.runtime.lastError?.message ?? 'ended'));",
            ),
        ]
    };
}

#[test]
fn a_worker_that_is_a_module_and_throws_does_not_start() {
    // At its top level; in a module that it imports; behind an await; because it imports nothing there is.
    let throws: [Files; 4] = [
        module_worker!(
            "chrome.runtime.onMessage.addListener((message, sender, respond) => respond('never'));
             throw new Error('on purpose');",
            ""
        ),
        module_worker!("import './other.js';", "throw new Error('on purpose');"),
        module_worker!("await null; throw new Error('on purpose');", ""),
        module_worker!("import './absent.js';", ""),
    ];
    for throwing in throws {
        let run = run(&[throwing], &[&IDLE[..], &OPEN].concat());
        assert!(!run.went_well);
        let text = "Could not establish connection. Receiving end does not exist.";
        assert_eq!(run.console("tab 2"), [text; 2]);
        let failed = "fails to start: its script threw";
        assert_eq!(changes(&run), [LOADED, failed, WANTED, failed]);
    }
}

#[test]
fn a_worker_that_is_a_module_starts_with_what_it_imports() {
    let starting: Files = module_worker!(
        "import { answer } from './other.js';
         chrome.runtime.onMessage.addListener((message, sender, respond) => respond(answer));",
        "export const answer = 'answer';
         chrome.runtime.onConnect.addListener(() => { Promise.reject(new Error('handled later')).catch(() => {}); });"
    );
    let run = run(&[starting], &[&IDLE[..], &["--rest"], &OPEN, &["--rest"]].concat());
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(run.console("tab 2"), ["answer", "ended"]);
    assert_eq!(changes(&run), [LOADED, IDLE_FOR, WANTED, IDLE_FOR]);
}

#[test]
fn one_that_starts_without_a_listener_refuses_at_once() {
    let silent: Files = extension!(
        "",
        "chrome.runtime.sendMessage('question').catch((error) => console.log(error.message));"
    );
    let run = run(&[silent], &[&IDLE[..], &["--rest"], &OPEN].concat());
    assert_eq!(run.console("tab 2"), ["Could not establish connection. Receiving end does not exist."]);
    assert_eq!(changes(&run), [LOADED, IDLE_FOR, WANTED, IDLE_FOR]);
}

#[test]
fn a_reload_starts_a_background_anew_whose_installation_is_an_update() {
    let reloading: Files = extension!(
        "chrome.runtime.onInstalled.addListener((details) => console.log(JSON.stringify(details)));
         chrome.action.onClicked.addListener(() => chrome.runtime.reload());",
        ""
    );
    let run = run(&[reloading], &[&IDLE[..], &["--rest", "--click"]].concat());
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(
        run.console("background"),
        [r#"{"reason":"install"}"#, r#"{"previousVersion":"1","reason":"update"}"#]
    );
    let reloaded = "starts: its extension was reloaded";
    assert_eq!(
        changes(&run),
        [LOADED, IDLE_FOR, "starts: it listens to action.onClicked", reloaded, IDLE_FOR]
    );
}

/// Whatever a stop meets on its way, a port has one end, and whoever connects again reaches another start, in the very moment of
/// a stop too.
#[test]
fn no_port_is_lost_where_backgrounds_stop_and_start_all_the_time() {
    let hasty: Files = extension!(
        "chrome.runtime.onConnect.addListener((port) => port.onMessage.addListener((message) => port.postMessage(message)));",
        "let [connects, ends] = [0, 0];
         function connect() {
             const number = ++connects;
             const port = chrome.runtime.connect();
             let heard = 0;
             port.onMessage.addListener((message) => { if (message !== `${number} ${++heard}`) console.error(message); });
             port.onDisconnect.addListener(() => {
                 ends += 1;
                 const { message = '' } = chrome.runtime.lastError ?? {};
                 if (message !== '') console.error(message);
                 if (connects < 20) connect(); else console.log(connects, ends);
             });
             for (let at = 1; at <= 3; at += 1) port.postMessage(`${number} ${at}`);
         }
         connect();"
    );
    let pages = ["--page", "https://a.example.com/", "--page", "https://b.example.com/", "--frames", "2"];
    let run = run(&[hasty], &[&pages[..], &["--idle", "0.01"]].concat());
    assert!(run.went_well, "{:?}", run.errors());
    for context in ["tab 1", "tab 2", "tab 2 frame 1", "tab 2 frame 2"] {
        assert_eq!(run.console(context), ["20 20"], "{context}");
    }
    let starts = changes(&run).iter().filter(|change| change.starts_with("starts")).count();
    let stops = changes(&run).iter().filter(|change| change.starts_with("stops")).count();
    assert!(starts == stops && starts >= 20, "{starts} starts, {stops} stops");
    let summary = run.summary();
    assert_eq!((&summary["stopped"], &summary["connects"]), (&false.into(), &80.into()));
}

/// Connects to the other as soon as it runs, and takes its time to.
macro_rules! greeter {
    ($own:expr, $other:expr, $other_in_chromium:expr) => {
        &[
            (
                "manifest.json",
                concat!(
                    r#"{ "manifest_version": 3, "name": "Test", "version": "1",
                         "background": { "service_worker": "background.js", "scripts": ["background.js"] },
                         "browser_specific_settings": { "gecko": { "id": ""#, $own, r#"@example" } } }"#
                ),
            ),
            (
                "background.js",
                concat!(
                    "chrome.runtime.onMessageExternal.addListener((message, sender, respond) => respond(message + ' yourself'));
                     chrome.runtime.onConnectExternal.addListener((port) => port.postMessage('welcome'));
                     const other = navigator.userAgent.includes('Firefox') ? '", $other, "@example' : '", $other_in_chromium, "';
                     chrome.runtime.connect(other).onMessage.addListener((message) => console.log(message));
                     chrome.runtime.sendMessage(other, 'hello').then(console.log, (error) => console.log(error.message));
                     for (let until = Date.now() + Math.random() * 3; Date.now() < until;) {}"
                ),
            ),
        ]
    };
}

#[test]
fn two_extensions_that_start_together_reach_each_other() {
    // As made from the names of their folders.
    const FIRST: Files = greeter!("first", "second", "pnjphknhdgdmgelpgpeppcogjpcffpof");
    const SECOND: Files = greeter!("second", "first", "ckggjnkdafidnjephaibecmbinhmoldb");
    let starts: usize = std::env::var(STARTS).map_or(24, |starts| starts.parse().expect("a number"));
    let at_a_time = 8;
    // Several browsers at a time, so that the two are kept waiting at different places.
    thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(|| {
                for turn in 0..starts.div_ceil(at_a_time) {
                    let profile = ["chromium", "firefox"][turn % 2];
                    let run = run(&[FIRST, SECOND], &["--profile", profile]);
                    let mut said: Vec<_> =
                        run.events("console").iter().map(|line| line["text"].to_string()).collect();
                    said.sort();
                    assert_eq!(
                        said,
                        ["\"hello yourself\"", "\"hello yourself\"", "\"welcome\"", "\"welcome\""]
                    );
                }
            });
        }
    });
}
