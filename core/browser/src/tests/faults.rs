//! Extensions with errors: each is told of, and nobody else suffers.

use super::{Files, ONE_PAGE, ONE_PAGE_AND_A_CLICK, extension, run};

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
fn a_script_that_never_ends_is_stopped_and_the_other_extension_runs() {
    let endless: Files = extension!("for (;;) {}", "");
    let sound: Files = extension!("console.log('here')", "console.log('there')");
    let run = run(&[endless, sound], &["--page", "https://a.example.com/", "--time", "0.5"]);
    assert_eq!(run.console("background [Test]").len() + run.console("tab 1 [Test]").len(), 3);
    assert_eq!(run.summary()["stopped"], true);
    let stopped = run.console("background [Test]").into_iter().find(|text| text.starts_with("stopped"));
    assert!(stopped.is_some_and(|text| text.contains("/background.js:1:")), "{stopped:?}");
    assert!(run.went_well, "{:?}", run.errors());
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
