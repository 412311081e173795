//! What an extension may do: permissions that a person grants later, and pages that it keeps apart from itself.

use super::{Files, run};

#[test]
fn optional_permissions_are_granted_when_asked_for_and_taken_back() {
    const EXTENSION: Files = &[
        (
            "manifest.json",
            r#"{ "manifest_version": 3, "name": "Test", "version": "1", "permissions": ["scripting"],
                 "optional_permissions": ["storage"], "optional_host_permissions": ["https://*.example.com/*"],
                 "background": { "scripts": ["background.js"], "service_worker": "background.js" } }"#,
        ),
        ("page.html", "<script src=page.js></script>"),
        ("page.js", "console.log(typeof chrome.storage); chrome.runtime.sendMessage('shown');"),
        (
            "background.js",
            "const { permissions, tabs, scripting } = chrome;
            const asked = { permissions: ['storage'], origins: ['https://a.example.com/*'] };
            permissions.onAdded.addListener((added) => console.log('added', JSON.stringify(added)));
            permissions.onRemoved.addListener((removed) => console.log('removed', JSON.stringify(removed)));
            const told = (promise) => promise.then((value) => JSON.stringify(value), (error) => error.message);
            const run = async () => told(scripting.executeScript({ target: { tabId: (await tabs.query({}))[0].id }, func: () => location.host }).then(([{ result }]) => result));
            async function ask() {
                console.log(await told(permissions.contains(asked)), (await run()) === '\"a.example.com\"', typeof (await tabs.query({}))[0].url);
                console.log(await told(permissions.request({ permissions: ['history'] })));
                console.log(await told(permissions.request({ origins: ['https://example.org/*'] })));
                console.log(await told(permissions.request(asked)), await told(permissions.contains(asked)), await run(), typeof (await tabs.query({}))[0].url);
                console.log((await permissions.getAll()).permissions.join());
                const shown = new Promise((resolve) => chrome.runtime.onMessage.addListener(resolve));
                await tabs.create({ url: 'page.html' });
                await shown;
                console.log(await told(permissions.remove({ permissions: ['scripting'] })));
                console.log(await told(permissions.remove(asked)), await told(permissions.contains(asked)));
            }
            tabs.onUpdated.addListener(function begin(id, { status }) {
                if (status === 'complete') {
                    tabs.onUpdated.removeListener(begin);
                    ask();
                }
            });",
        ),
    ];
    const FIREFOX: [&str; 3] = [
        "Cannot request permission history since it was not declared in optional_permissions",
        "Cannot request origin permission for https://example.org/* since it was not declared in the manifest",
        "true",
    ];
    const UNNAMED: &str = "Only permissions specified in the manifest may be requested.";
    const CHROMIUM: [&str; 3] = [UNNAMED, UNNAMED, "You cannot remove required permissions."];
    let asked = r#"{"origins":["https://a.example.com/*"],"permissions":["storage"]}"#;
    for (profile, [name, origin, required]) in [("chromium", CHROMIUM), ("firefox", FIREFOX)] {
        let run = run(&[EXTENSION], &["--page", "https://a.example.com/", "--profile", profile]);
        assert!(run.went_well, "{:?}", run.errors());
        let mut told = run.console("background");
        let mut expected = [
            "false false undefined",
            name,
            origin,
            "true true \"a.example.com\" string",
            "scripting,storage",
            required,
            "true false",
            &format!("added {asked}"),
            &format!("removed {asked}"),
        ];
        told.sort_unstable();
        expected.sort_unstable();
        assert_eq!(told, expected, "{profile}");
        assert_eq!(run.console("tab 2"), ["object"], "{profile}");
    }
}

#[test]
fn a_page_in_the_sandbox_of_chromium_has_no_api_and_an_origin_of_its_own() {
    const EXTENSION: Files = &[
        (
            "manifest.json",
            r#"{ "manifest_version": 3, "name": "Test", "version": "1", "sandbox": { "pages": ["sandbox.html"] } }"#,
        ),
        ("page.html", "<iframe src=sandbox.html></iframe><script src=page.js></script>"),
        (
            "page.js",
            "addEventListener('message', ({ data, origin }) => console.log(JSON.stringify(data), origin === 'null'));
            chrome.runtime.onMessage.addListener((message) => console.log('message', message));",
        ),
        ("sandbox.html", "<title>Sandbox</title><p id=here></p><script src=sandbox.js></script>"),
        (
            "sandbox.js",
            "parent.postMessage([typeof chrome?.runtime, typeof browser, document.title, here.tagName, document.readyState], '*');
            globalThis.browser?.runtime.sendMessage('let in');",
        ),
    ];
    let outcome = |profile| {
        let run = run(
            &[EXTENSION],
            &["--page", "https://a.example.com/", "--open", "/page.html", "--profile", profile],
        );
        assert!(run.went_well, "{:?}", run.errors());
        let mut told: Vec<String> = run.console("tab 2").into_iter().map(str::to_owned).collect();
        told.sort_unstable();
        told
    };
    let alone = r#"["undefined","undefined","Sandbox","P","loading"] true"#;
    assert_eq!(outcome("chromium"), [alone]);
    // Firefox does not know the key.
    assert_eq!(
        outcome("firefox"),
        [r#"["object","object","Sandbox","P","loading"] false"#, "message let in"]
    );
}
