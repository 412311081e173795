//! The API beside messaging, pages outside of the tabs, kinds of documents, and what is absent.

use super::{Files, Run, run, run_with_messages_of};

const PROFILES: [&str; 2] = ["chromium", "firefox"];

/// An extension with a manifest of its own.
macro_rules! files {
    ($manifest:expr, $($name:literal: $text:expr),* $(,)?) => {
        &[("manifest.json", concat!(r#"{ "manifest_version": 3, "name": "Test", "version": "1", "background": { "scripts": ["background.js"], "service_worker": "background.js" }, "#, $manifest, "}")), $(($name, $text)),*]
    };
}

fn run_in(profile: &str, extension: Files, options: &[&str]) -> Run {
    let options = [&["--profile", profile], options].concat();
    let run = run(&[extension], &options);
    assert!(run.went_well, "{profile}: {:?}", run.errors());
    run
}

const PAGE: [&str; 2] = ["--page", "https://a.example.com/"];

#[test]
fn storage_is_shared_and_its_changes_are_told_to_content_scripts_too() {
    const EXTENSION: Files = files!(
        r#""permissions": ["storage"], "content_scripts": [{ "matches": ["<all_urls>"], "js": ["content.js"] }]"#,
        "background.js": "chrome.runtime.onMessage.addListener((message, sender, sendResponse) => {
            (async () => {
                await chrome.storage.local.set({ a: 1, b: { c: [2] } });
                await chrome.storage.local.remove('a');
                sendResponse(await chrome.storage.local.get({ a: 'none', b: 0 }));
            })();
            return true;
        });",
        "content.js": "const told = [];
        chrome.storage.onChanged.addListener((changes, area) => told.push(area + JSON.stringify(changes)));
        chrome.runtime.sendMessage('go').then(async (answer) => {
            console.log(JSON.stringify(answer), JSON.stringify(await chrome.storage.local.get()));
            console.log(told.join(' '));
        });",
    );
    for profile in PROFILES {
        let run = run_in(profile, EXTENSION, &PAGE);
        assert_eq!(
            run.console("tab 1"),
            [
                r#"{"a":"none","b":{"c":[2]}} {"b":{"c":[2]}}"#,
                r#"local{"a":{"newValue":1},"b":{"newValue":{"c":[2]}}} local{"a":{"oldValue":1}}"#
            ],
            "{profile}"
        );
    }
}

#[test]
fn a_popup_has_its_html_and_is_no_tab() {
    const EXTENSION: Files = files!(
        r#""action": { "default_popup": "popup.html" }, "permissions": ["storage"]"#,
        "background.js": "chrome.runtime.onConnect.addListener((port) => {
            console.log(port.name, Object.keys(port.sender).filter((key) => key !== 'contextId').sort().join());
            port.onDisconnect.addListener(() => console.log('closed', chrome.runtime.lastError ?? null));
            chrome.runtime.getContexts({ contextTypes: ['POPUP'] }).then((found) =>
                console.log(found.map((context) => [context.tabId, context.frameId, context.windowId].join()).join(' ')));
        });",
        "popup.html": "<!doctype html><title>My popup</title><ul id=list><li class='a b'>one<li>two</ul><button>close</button><script src=popup.js></script>",
        "popup.js": "console.log(document.title, document.querySelectorAll('#list > li').length, document.querySelector('li.b').textContent, document.readyState);
        document.addEventListener('DOMContentLoaded', () => console.log('parsed'));
        chrome.runtime.connect({ name: 'popup' });
        chrome.tabs.getCurrent().then((tab) => console.log('tab', tab));
        document.querySelector('button').addEventListener('click', (event) => { console.log(event.target.tagName, event.isTrusted); window.close(); });",
    );
    for (profile, sender, window) in
        [("chromium", "id,origin,url", "-1,0,-1"), ("firefox", "documentId,envType,id,origin,url", "-1,0,1")]
    {
        let run = run_in(profile, EXTENSION, &[&PAGE[..], &["--click", "--press", "button"]].concat());
        assert_eq!(
            run.console("popup"),
            ["My popup 2 one loading", "parsed", "tab undefined", "BUTTON true"],
            "{profile}"
        );
        assert_eq!(
            run.console("background"),
            [&format!("popup {sender}"), window, "closed null"],
            "{profile}"
        );
    }
}

#[test]
fn buttons_menus_commands_and_alarms_are_told() {
    const EXTENSION: Files = files!(
        r#""action": {}, "permissions": ["contextMenus", "alarms", "activeTab", "scripting"],
           "commands": { "greet": { "description": "Greets", "suggested_key": { "default": "Ctrl+G" } } }"#,
        "background.js": "chrome.runtime.onInstalled.addListener(async () => {
            chrome.contextMenus.create({ id: 'item', title: 'Item', contexts: ['page'] }, () => console.log('created', chrome.runtime.lastError ?? null));
            chrome.contextMenus.create({ id: 'item', title: 'Again' }, () => console.log(chrome.runtime.lastError.message));
            await chrome.action.setBadgeText({ text: '3' });
            console.log(await chrome.action.getBadgeText({}), (await chrome.commands.getAll())[0].shortcut);
            chrome.alarms.create('soon', { when: Date.now() + 5 });
        });
        chrome.alarms.onAlarm.addListener((alarm) => console.log('alarm', alarm.name));
        chrome.contextMenus.onClicked.addListener((info, tab) => console.log('menu', info.menuItemId, tab.id));
        chrome.commands.onCommand.addListener(async (name, tab) => {
            const [{ result }] = await chrome.scripting.executeScript({ target: { tabId: tab.id }, func: () => location.href });
            console.log('command', name, tab.url, result);
        });",
    );
    for (profile, again) in
        [("chromium", "Cannot create item with duplicate id item"), ("firefox", "ID already exists: item")]
    {
        let run =
            run_in(profile, EXTENSION, &[&PAGE[..], &["--menu", "item", "--command", "greet"]].concat());
        let mut told = run.console("background");
        told.sort_unstable();
        let url = "https://a.example.com/";
        let mut expected = [
            "created null",
            again,
            "3 Ctrl+G",
            "alarm soon",
            "menu item 1",
            &format!("command greet {url} {url}"),
        ];
        expected.sort_unstable();
        assert_eq!(told, expected, "{profile}");
    }
}

/// What is absent is named at load, and at the call; nobody dies of it.
#[test]
fn what_is_absent_is_named() {
    const EXTENSION: Files = files!(
        r#""permissions": ["notifications", "nativeMessaging", "tabs"], "theme": {}"#,
        "background.js": "chrome.notifications.onClicked.addListener(() => {});
        chrome.notifications.create({ title: 'x' });
        chrome.notifications.create({ title: 'x' }, () => console.log(chrome.runtime.lastError.message));
        chrome.tabs.captureVisibleTab().catch((error) => console.log(String(error)));
        console.log(typeof chrome.bookmarks, typeof chrome.tabs.nonsense);",
    );
    for profile in PROFILES {
        let run = run_in(profile, EXTENSION, &[]);
        for named in ["the permission \"notifications\" (of Test)", "the manifest's \"theme\" (of Test)"] {
            let text = format!("not supported by this browser: {named}");
            assert!(
                run.console("browser").contains(&text.as_str()),
                "{profile}: {:?}",
                run.console("browser")
            );
        }
        let mut told = run.console("background");
        told.sort_unstable();
        assert_eq!(
            told,
            [
                "Error: not supported by this browser: tabs.captureVisibleTab",
                "not supported by this browser: notifications.create",
                "not supported by this browser: notifications.create",
                "not supported by this browser: notifications.onClicked",
                "not supported by this browser: tabs.captureVisibleTab",
                "undefined undefined",
            ],
            "{profile}"
        );
    }
}

/// Firefox's `chrome` is another object with manifests of version 2; what is absent is there too.
#[test]
fn what_is_absent_is_named_in_version_2() {
    const EXTENSION: Files = &[
        (
            "manifest.json",
            r#"{ "manifest_version": 2, "name": "Test", "version": "1", "permissions": ["bookmarks"],
                 "background": { "scripts": ["background.js"] } }"#,
        ),
        (
            "background.js",
            "chrome.bookmarks.onRemoved.addListener(() => {});
            chrome.bookmarks.create({ title: 'x' }, () => console.log('called back'));
            console.log('lives on');",
        ),
    ];
    for profile in PROFILES {
        let run = run_in(profile, EXTENSION, &[]);
        assert_eq!(
            run.console("background"),
            [
                "not supported by this browser: bookmarks.onRemoved",
                "not supported by this browser: bookmarks.create",
                "lives on",
                "called back",
            ],
            "{profile}: {:?}",
            run.errors()
        );
    }
}

#[test]
fn messages_of_locales_stand_in_the_manifest_and_in_i18n() {
    const EXTENSION: Files = files!(
        r#""default_locale": "en", "description": "__MSG_about__""#,
        "_locales/en/messages.json": r#"{ "about": { "message": "About \"it\"" },
            "greet": { "message": "Hello $WHO$, $2", "placeholders": { "who": { "content": "$1" } } } }"#,
        "background.js": "console.log(chrome.runtime.getManifest().description, '|', chrome.i18n.getMessage('greet', ['you', 'too']), '|', chrome.i18n.getMessage('none'));",
    );
    for profile in PROFILES {
        let run = run_in(profile, EXTENSION, &[]);
        assert_eq!(run.console("background"), [r#"About "it" | Hello you, too | "#], "{profile}");
    }
}

/// An answer may be as long as a message may, in bytes of UTF-8, and no longer.
#[test]
fn an_answer_may_be_as_long_as_a_message() {
    const EXTENSION: Files = files!(
        r#""content_scripts": [{ "matches": ["<all_urls>"], "js": ["content.js"] }]"#,
        "background.js": "chrome.runtime.onMessage.addListener((length, sender, sendResponse) => {
            try { sendResponse('x'.repeat(length)); } catch (error) { console.log(String(error)); }
        });",
        "content.js": "(async () => {
            for (const length of [60, 98, 99]) {
                console.log(await chrome.runtime.sendMessage(length).then((answer) => answer.length, String));
            }
            console.log(await new Promise((resolve) => { try { chrome.runtime.sendMessage('é'.repeat(50)); } catch (error) { resolve(error.name); } }));
        })();",
    );
    let run = run_with_messages_of(Some(100), &[EXTENSION], &PAGE);
    let text = "Message exceeded maximum allowed size of 64MiB.";
    assert_eq!(run.console("tab 1"), ["60", "98", &format!("Error: {text}"), "TypeError"]);
    assert_eq!(run.console("background"), [format!("TypeError: {text}")]);
}

/// What holds the answer is collected, and the sender hears so: in Firefox for a background's listeners alone.
#[test]
fn an_answer_that_nobody_can_give_any_more_is_told() {
    const EXTENSION: Files = files!(
        r#""content_scripts": [{ "matches": ["<all_urls>"], "js": ["content.js"] }]"#,
        "background.js": "chrome.runtime.onMessage.addListener((message) => message === 'true' ? true : new Promise(() => {}));",
        "content.js": "for (const message of ['true', 'promise']) chrome.runtime.sendMessage(message).catch((error) => console.log(error.message));",
    );
    for (profile, text) in [
        (
            "chromium",
            "A listener indicated an asynchronous response by returning true, but the message channel closed before a response was received",
        ),
        ("firefox", "Promised response from onMessage listener went out of scope"),
    ] {
        assert_eq!(run_in(profile, EXTENSION, &PAGE).console("tab 1"), [text, text]);
    }
}

/// Who gets a script, by the manifest's keys, and what its sender is.
#[test]
fn documents_without_a_site_of_their_own_are_matched_by_their_maker() {
    const EXTENSION: Files = files!(
        r#""content_scripts": [
            { "matches": ["https://a.example.com/*"], "js": ["maker.js"] },
            { "matches": ["https://a.example.com/*"], "all_frames": true, "js": ["plain.js"] },
            { "matches": ["https://a.example.com/*"], "all_frames": true, "match_about_blank": true, "js": ["blank.js"] },
            { "matches": ["https://a.example.com/*"], "all_frames": true, "match_origin_as_fallback": true, "js": ["all.js"] }]"#,
        "background.js": "chrome.runtime.onMessage.addListener((message, sender) => {
            if (sender.frameId > 0) console.log(sender.url, 'of', sender.origin, message);
        });",
        "maker.js": "const add = (attributes) => {
            const frame = document.createElement('iframe');
            for (const [name, value] of Object.entries(attributes)) frame.setAttribute(name, value);
            document.body.append(frame);
        };
        add({ src: '/own' });
        add({ srcdoc: '<p>x' });
        add({ src: 'data:text/html,x' });
        add({ src: 'about:blank?nothing' });
        add({ src: '/apart', sandbox: 'allow-scripts' });
        add({ srcdoc: '<p>apart', sandbox: '' });
        add({ src: 'about:blank', sandbox: '' });",
        "plain.js": "chrome.runtime.sendMessage('plain');",
        "blank.js": "chrome.runtime.sendMessage('blank');",
        "all.js": "chrome.runtime.sendMessage('all');",
    );
    let own = "https://a.example.com";
    for (profile, blank) in [("chromium", &["all", "blank"][..]), ("firefox", &["all"])] {
        let run = run_in(profile, EXTENSION, &PAGE);
        let mut told = run.console("background");
        told.sort_unstable();
        let of_each: [(_, _, &[_]); 7] = [
            ("about:blank", "null", blank),
            ("about:blank?nothing", own, &["all"]),
            ("about:srcdoc", own, &["all", "blank"]),
            ("about:srcdoc", "null", &["all"]),
            ("data:text/html,x", "null", &["all"]),
            ("https://a.example.com/apart", "null", &["all", "blank", "plain"]),
            ("https://a.example.com/own", own, &["all", "blank", "plain"]),
        ];
        let lines = of_each.iter().flat_map(|(url, origin, scripts)| {
            scripts.iter().map(move |script| format!("{url} of {origin} {script}"))
        });
        assert_eq!(told, lines.collect::<Vec<_>>(), "{profile}");
    }
}

#[test]
fn a_page_of_the_web_frames_what_is_accessible_to_it() {
    const EXTENSION: Files = files!(
        r#""web_accessible_resources": [{ "resources": ["open.html"], "matches": ["https://a.example.com/*"] }],
           "content_scripts": [{ "matches": ["<all_urls>"], "js": ["content.js"] }]"#,
        "background.js": "chrome.runtime.onMessage.addListener((message, sender) => console.log(message, sender.url.replace(/.*\\//, ''), sender.tab.url, sender.frameId > 0));",
        "open.html": "<script src=page.js></script>",
        "closed.html": "<script src=page.js></script>",
        "page.js": "let url; try { url = parent.location.href; } catch (error) { url = error.name; }
        chrome.runtime.sendMessage([typeof chrome.tabs, parent === window, url].join());
        parent.postMessage('from the page', '*');",
        "content.js": "for (const name of ['open', 'closed']) {
            const frame = document.createElement('iframe');
            frame.src = chrome.runtime.getURL(name + '.html');
            for (const type of ['load', 'error']) frame.addEventListener(type, () => console.log(name, type));
            document.body.append(frame);
        }
        addEventListener('message', (event) => console.log(event.data));",
    );
    for (profile, tabs, closed) in [("chromium", "object", "load"), ("firefox", "undefined", "error")] {
        let run = run_in(profile, EXTENSION, &PAGE);
        assert_eq!(
            run.console("background"),
            [format!("{tabs},false,SecurityError open.html https://a.example.com/ true")],
            "{profile}"
        );
        let mut told = run.console("tab 1");
        told.sort_unstable();
        assert_eq!(told, [&format!("closed {closed}"), "from the page", "open load"], "{profile}");
    }
}

/// After `runtime.reload` an old content script lives on in Chromium, without the API; in Firefox it falls silent,
/// and the new one runs at once.
#[test]
fn old_scripts_see_that_their_extension_was_loaded_anew() {
    const EXTENSION: Files = files!(
        r#""permissions": ["storage"], "content_scripts": [{ "matches": ["<all_urls>"], "js": ["content.js"] }]"#,
        "background.js": "chrome.runtime.onMessage.addListener((message) => { chrome.runtime.reload(); return true; });
        chrome.runtime.onConnect.addListener(() => {});",
        "content.js": "(async () => {
            const { before } = await chrome.storage.local.get('before');
            console.log(before ? 'again' : 'first');
            if (before) return;
            await chrome.storage.local.set({ before: true });
            const port = chrome.runtime.connect();
            port.onDisconnect.addListener(() => console.log('ended', chrome.runtime.lastError ?? null, typeof chrome.runtime.id));
            const attempt = (run) => { try { run(); return 'no error'; } catch (error) { return error.message; } };
            const look = () => typeof chrome.runtime.id === 'string' ? setTimeout(look, 10) : console.log(typeof chrome.runtime.id, typeof chrome.storage,
                port.name === '', attempt(() => chrome.runtime.connect()), attempt(() => port.postMessage(1)), attempt(() => chrome.runtime.getURL('x')));
            look();
            chrome.runtime.sendMessage('reload').catch((error) => console.log(error.message.slice(0, 20)));
        })();",
    );
    let gone = "Extension context invalidated.";
    let run = run_in("chromium", EXTENSION, &PAGE);
    assert_eq!(
        run.console("tab 1"),
        [
            "first",
            "A listener indicated",
            "ended null string",
            &format!("undefined undefined true {gone} {gone} {gone}")
        ]
    );
    assert_eq!(run_in("firefox", EXTENSION, &PAGE).console("tab 1"), ["first", "again"]);
}

/// With a manifest of version 2, Firefox's `chrome` gives no promises, and its `browser` does.
#[test]
fn chrome_and_browser_differ_by_browser_and_version() {
    const EXTENSION: Files = &[
        ("manifest.json", r#"{ "manifest_version": 2, "name": "Test", "version": "1", "background": { "scripts": ["background.js"] } }"#),
        (
            "background.js",
            "console.log(chrome === browser, chrome.tabs === browser.tabs, String(chrome.tabs.sendMessage(99999, 'x')), String(browser.tabs.query({})));
             browser.tabs.sendMessage(99999, 'x').catch(() => {});
             chrome.tabs.sendMessage(99999, 'x', function () { console.log(arguments.length, chrome.runtime.lastError instanceof Error); });",
        ),
    ];
    let run = run_in("firefox", EXTENSION, &[]);
    assert_eq!(run.console("background"), ["false false undefined [object Promise]", "0 true"]);
}

/// What scripts say while their page goes: all of it on a navigation; when the tab closes, Chromium's frames get as far
/// as `beforeunload`, and Firefox's pages speak on after `tabs.onRemoved`, from no tab.
#[test]
fn last_words_are_heard() {
    const EXTENSION: Files = files!(
        r#""action": {}, "permissions": ["tabs"], "content_scripts": [{ "matches": ["<all_urls>"], "js": ["content.js"], "all_frames": true }]"#,
        "background.js": "chrome.runtime.onMessage.addListener((message, sender) => console.log(message + (sender.tab ? '' : ' from no tab')));
        chrome.tabs.onRemoved.addListener(() => console.log('removed'));
        chrome.action.onClicked.addListener((tab) => chrome.tabs.update(tab.id, { url: 'https://a.example.com/next' }));",
        "content.js": "const name = window === top ? 'top' : 'frame';
        for (const type of ['beforeunload', 'pagehide', 'unload']) addEventListener(type, () => chrome.runtime.sendMessage(name + ' ' + type).catch(() => {}));",
    );
    let all = |name: &str, end: &str| -> Vec<String> {
        ["pagehide", "unload"].iter().map(|word| format!("{name} {word}{end}")).collect()
    };
    let asked = ["top beforeunload", "frame beforeunload"].map(str::to_owned).to_vec();
    let framed = [&PAGE[..], &["--frame", "https://a.example.com/frame"]].concat();
    for profile in PROFILES {
        let navigated = run_in(profile, EXTENSION, &[&framed[..], &["--click"]].concat());
        let expected = [asked.clone(), all("top", ""), all("frame", "")].concat();
        assert_eq!(navigated.console("background"), expected, "{profile}");
        let closed = run_in(profile, EXTENSION, &[&framed[..], &["--close"]].concat());
        let removed = vec!["removed".to_owned()];
        let expected = match profile {
            "chromium" => [asked.clone(), all("top", ""), removed].concat(),
            _ => [asked.clone(), removed, all("top", " from no tab"), all("frame", " from no tab")].concat(),
        };
        assert_eq!(closed.console("background"), expected, "{profile}");
    }
}
