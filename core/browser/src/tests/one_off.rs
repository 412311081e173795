//! `sendMessage` and `onMessage`, and connections between extensions.

use super::{Files, ONE_PAGE, ONE_PAGE_AND_A_CLICK, extension, run};

#[test]
fn one_off_messages_are_answered_by_the_first_who_answers() {
    let run = run(
        &[extension!(
            "chrome.action.onClicked.addListener(async (tab) => {
                console.log(await chrome.tabs.sendMessage(tab.id, 'at once', { frameId: 0 }));
                console.log(await chrome.tabs.sendMessage(tab.id, 'later'));
                console.log(await chrome.tabs.sendMessage(tab.id, 'promise'));
                await chrome.tabs.sendMessage(tab.id, 'rejected').catch((error) => console.log(error.message));
                console.log(await chrome.tabs.sendMessage(tab.id, 'nothing'));
                await chrome.tabs.sendMessage(99, 'nobody').catch((error) => console.log(error.message));
                chrome.tabs.sendMessage(tab.id, 'nothing', (answer) => console.log(answer, chrome.runtime.lastError.message));
            });
            chrome.runtime.onMessage.addListener((message, sender, sendResponse) => {
                sendResponse([message, sender.tab.id, sender.frameId]);
                sendResponse('ignored');
            });",
            "chrome.runtime.onMessage.addListener((message, sender, sendResponse) => {
                switch (message) {
                    case 'at once': sendResponse({ url: sender.url.replace(chrome.runtime.id, 'ID'), tab: sender.tab }); break;
                    case 'later': setTimeout(sendResponse, 1, 'answered later'); return true;
                    case 'promise': return Promise.resolve('a promise of an answer');
                    case 'rejected': return Promise.reject(new Error('refused'));
                }
            });
            chrome.runtime.sendMessage('hello').then((answer) => console.log(answer));"
        )],
        &ONE_PAGE_AND_A_CLICK,
    );
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(
        run.console("background"),
        [
            "{\"url\":\"chrome-extension://ID/background.js\"}",
            "answered later",
            "a promise of an answer",
            "refused",
            "undefined",
            "Could not establish connection. Receiving end does not exist.",
            "undefined The message port closed before a response was received.",
        ]
    );
    assert_eq!(run.console("tab 1"), ["[\"hello\",1,0]"]);
}

#[test]
fn an_answer_that_was_promised_is_missed_when_the_tab_closes() {
    let run = run(
        &[extension!(
            "chrome.action.onClicked.addListener((tab) => {
                chrome.tabs.sendMessage(tab.id, 'question').catch((error) => console.log(error.message));
            });",
            "chrome.runtime.onMessage.addListener(() => true);"
        )],
        &["--page", "https://a.example.com/", "--click", "--close"],
    );
    assert!(run.went_well, "{:?}", run.errors());
    let [text] = run.console("background")[..] else { panic!("one line: {:?}", run.console("background")) };
    assert!(
        text.starts_with("A listener indicated an asynchronous response by returning true, but"),
        "{text}"
    );
}

#[test]
fn one_off_messages_keep_their_place_among_the_messages_of_ports() {
    let run = run(
        &[extension!(
            "chrome.action.onClicked.addListener((tab) => {
                const port = chrome.tabs.connect(tab.id);
                for (let i = 0; i < 4; i += 2) {
                    port.postMessage(i);
                    chrome.tabs.sendMessage(tab.id, i + 1);
                }
                port.disconnect();
                chrome.tabs.sendMessage(tab.id, 'end');
            });",
            "chrome.runtime.onConnect.addListener((port) => {
                port.onMessage.addListener((message) => console.log('port', message));
                port.onDisconnect.addListener(() => console.log('port ended'));
            });
            chrome.runtime.onMessage.addListener((message) => console.log('one-off', message));"
        )],
        &ONE_PAGE_AND_A_CLICK,
    );
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(
        run.console("tab 1"),
        ["port 0", "one-off 1", "port 2", "one-off 3", "port ended", "one-off end"]
    );
}

#[test]
fn another_extension_is_reached_by_the_external_events() {
    let receiver: Files = extension!(
        "chrome.runtime.onConnectExternal.addListener((port) => {
            console.log('connected from outside', port.sender.id !== chrome.runtime.id);
            port.onMessage.addListener((message) => port.postMessage(`${message} too`));
        });
        chrome.runtime.onMessageExternal.addListener((message, sender, sendResponse) => sendResponse([message]));
        chrome.runtime.onConnect.addListener(() => console.log('never'));
        chrome.runtime.onMessage.addListener(() => console.log('never'));",
        ""
    );
    let opener: Files = extension!(
        "chrome.action.onClicked.addListener(async (tab) => {
            try { chrome.runtime.connect('zzz'); } catch (error) { console.log(error.message); }
            // The id of the other extension is in the page's fragment.
            const other = new URL(tab.url).hash.slice(1);
            const port = chrome.runtime.connect(other);
            port.onMessage.addListener(async (message) => {
                console.log(message);
                console.log(await chrome.runtime.sendMessage(other, 'message'));
                await chrome.runtime.sendMessage('p'.repeat(32), 'x').catch((error) => console.log(error.message));
            });
            port.postMessage('hello');
        });",
        ""
    );
    // Ids are made from names, so the receiver's is the same in every run.
    let first = run(&[receiver], &ONE_PAGE);
    let id = first.events("extension")[0]["id"].as_str().expect("a text");
    let run = run(&[receiver, opener], &["--page", &format!("https://a.example.com/#{id}"), "--click"]);
    assert!(run.went_well, "{:?}", run.errors());
    let texts: Vec<_> = run.events("console").iter().map(|line| line["text"].clone()).collect();
    assert_eq!(
        texts,
        [
            "Error in invocation of runtime.connect(optional string extensionId, optional object connectInfo): \
             Invalid extension id: 'zzz'",
            "connected from outside true",
            "hello too",
            "[\"message\"]",
            "Could not establish connection. Receiving end does not exist.",
        ]
    );
}
