//! `tabs.connect`, `runtime.connect` and `Port`, as scripts meet them.

use super::{Files, ONE_PAGE, ONE_PAGE_AND_A_CLICK, extension, run};

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
    assert_eq!(firefox.console("background"), ["returned null", "microtask", &expected]);
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
                port.postMessage(undefined);
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
fn the_url_of_a_sender_stays_and_that_of_its_tab_follows_the_document() {
    for profile in ["chromium", "firefox"] {
        let run = run(
            &[extension!(
                "chrome.runtime.onConnect.addListener((port) => {
                    console.log(port.name, port.sender.url, port.sender.tab.url);
                    port.postMessage('next');
                });",
                "const connect = (name, then) => chrome.runtime.connect({ name }).onMessage.addListener(then);
                connect('loaded', () => {
                    history.pushState(null, '', '/pushed?q');
                    connect('pushed', () => {
                        location.hash = 'here';
                        connect('fragment', () => {
                            addEventListener('popstate', () => connect('back', () => {}), { once: true });
                            history.back();
                        });
                    });
                });"
            )],
            &["--profile", profile, "--page", "https://a.example.com/"],
        );
        assert!(run.went_well, "{:?}", run.errors());
        assert_eq!(
            run.console("background"),
            [
                "loaded https://a.example.com/ https://a.example.com/",
                "pushed https://a.example.com/ https://a.example.com/pushed?q",
                "fragment https://a.example.com/ https://a.example.com/pushed?q#here",
                "back https://a.example.com/ https://a.example.com/pushed?q",
            ],
            "{profile}"
        );
    }
}

#[test]
fn a_port_is_a_plain_object_also_for_who_inherits_from_it_or_is_its_proxy() {
    let run = run(
        &[extension!(
            "chrome.action.onClicked.addListener((tab) => {
                const port = chrome.tabs.connect(tab.id, { name: 'one' });
                const other = chrome.tabs.connect(tab.id);
                for (const [name, own] of Object.entries(Object.getOwnPropertyDescriptors(port))) {
                    console.log(name, own.enumerable && own.configurable, own.writable, own.get?.name, own.set?.name);
                }
                const { onMessage } = port;
                console.log(port.name, onMessage === port.onMessage, onMessage !== other.onMessage, onMessage !== port.onDisconnect);
                const heir = Object.create(new Proxy(Object.create(port), {}));
                console.log({ ...port }.onMessage === onMessage, heir.onMessage === onMessage, heir.sender);
                try { heir.postMessage(1); } catch (error) { console.log(String(error)); }
                port.onMessage = 5;
                port.sender = 6;
                heir.onDisconnect = 7;
                console.log(port.onMessage, other.onMessage === 5, port.sender, other.sender, heir.onDisconnect, port.onDisconnect === 7);
                console.log(Object.keys(port), Object.isFrozen(port));
            });",
            "chrome.runtime.onConnect.addListener((port) => {
                console.log(port.sender === port.sender, { ...port }.sender === port.sender, Object.create(port).sender.id === chrome.runtime.id);
            });"
        )],
        &ONE_PAGE_AND_A_CLICK,
    );
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(
        run.console("background"),
        [
            "sender true undefined get sender set sender",
            "onMessage true undefined get onMessage set onMessage",
            "onDisconnect true undefined get onDisconnect set onDisconnect",
            "name true true undefined undefined",
            "disconnect true true undefined undefined",
            "postMessage true true undefined undefined",
            "one true true true",
            "true true undefined",
            "TypeError: Illegal invocation: Function must be called on an object of type Port",
            "5 false 6 undefined 7 false",
            r#"["sender","onMessage","onDisconnect","name","disconnect","postMessage"] false"#,
        ]
    );
    assert_eq!(run.console("tab 1"), ["true true true"; 2]);
}
