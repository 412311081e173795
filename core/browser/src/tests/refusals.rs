//! What the browser refuses is an error for whoever called, and nobody waits for ever.

use super::{ONE_PAGE, extension, run, run_with_messages_of};
use serde_json::json;

/// As in Chromium: the message that is too large is thrown for, and no listener hears of it; for an answer
/// both sides hear. With a smaller limit, for other tests in this process measure its heap.
#[test]
fn a_one_off_message_that_is_too_large_is_an_error_for_who_sends_it() {
    const TEXT: &str = "Message exceeded maximum allowed size of 64MiB.";
    let run = run_with_messages_of(
        Some(1 << 16),
        &[extension!(
            "let heard = 0;
            chrome.runtime.onConnect.addListener(() => {});
            chrome.runtime.onMessage.addListener((message, sender, sendResponse) => {
                heard += 1;
                const large = () => 'x'.repeat(65 << 10);
                switch (message) {
                    case 'at once':
                        try { sendResponse(large()); } catch (error) { console.log(String(error)); }
                        sendResponse('ignored');
                        return;
                    case 'promise': return Promise.resolve(large());
                    default: sendResponse(heard);
                }
            });",
            "(async () => {
                const large = 'x'.repeat(65 << 10);
                try { chrome.runtime.sendMessage(large); } catch (error) { console.log(String(error)); }
                const port = chrome.runtime.connect();
                try { port.postMessage(large); } catch (error) { console.log(String(error)); }
                for (const way of ['at once', 'promise']) {
                    await chrome.runtime.sendMessage(way).catch((error) => console.log(way, String(error)));
                }
                console.log(await chrome.runtime.sendMessage('small'));
            })();"
        )],
        &ONE_PAGE,
    );
    assert!(run.went_well, "{:?}", run.errors());
    let invocation = format!(
        "TypeError: Error in invocation of runtime.sendMessage(optional string extensionId, any message, \
         optional object options, optional function callback): {TEXT}"
    );
    let rejected = |way: &str| format!("{way} Error: {TEXT}");
    assert_eq!(
        run.console("tab 1"),
        [
            &invocation,
            &format!("Error: {TEXT}"),
            &rejected("at once"),
            &rejected("promise"),
            // The two ways and this one: nobody heard of what was too large.
            "3"
        ]
    );
    assert_eq!(run.console("background"), [format!("TypeError: {TEXT}")]);
    assert_eq!(run.summary()["stopped"], json!(false));
}

/// Extensions share threads, and must not share modules: the other's files stay its own.
#[test]
fn a_module_of_another_extension_is_refused() {
    let victim: super::Files = extension!("", "console.log('here')");
    let first = run(&[victim], &ONE_PAGE);
    let id = first.events("extension")[0]["id"].as_str().expect("a text").to_owned();
    let thief: super::Files = extension!(
        "try { importScripts('chrome-extension://' + 'a'.repeat(32) + '/content.js'); } catch (error) { console.log(error.message); }",
        "(async () => {
            // The id of the other extension is in the page's fragment.
            const other = `chrome-extension://${location.hash.slice(1)}/content.js`;
            for (const url of [other, 'browser://webext.js', chrome.runtime.getURL('/background.js')]) {
                await import(url).then(() => console.log('imported', url === other), (error) => console.log(String(error).replace(/'[^']*'/g, 'it')));
            }
        })();"
    );
    let run = run(&[victim, thief], &["--page", &format!("https://a.example.com/#{id}")]);
    let console = run.console("tab 1 [Test]");
    let refused: Vec<_> =
        console.iter().filter(|line| line.contains("not a file of the extension")).collect();
    assert_eq!(refused.len(), 2, "{console:?}");
    assert!(!console.contains(&"imported true"), "{console:?}");
    let [worker] = run.console("background [Test]")[..] else { panic!("one line") };
    assert!(worker.ends_with("a/content.js is not a file of the extension"), "{worker}");
}
