//! What a person does at the browser, and what extensions hear of it.

use super::{Files, run};

const PROFILES: [&str; 2] = ["chromium", "firefox"];

#[test]
fn a_click_goes_to_one_page_and_what_is_typed_to_the_element_that_was_clicked() {
    const EXTENSION: Files = &[
        (
            "manifest.json",
            r#"{ "manifest_version": 3, "name": "Test", "version": "1", "action": { "default_popup": "popup.html" },
                 "content_scripts": [{ "matches": ["<all_urls>"], "js": ["content.js"] }] }"#,
        ),
        ("popup.html", "<input id=field><button>close</button><script src=popup.js></script>"),
        (
            "popup.js",
            "field.onclick = () => console.log('clicked', document.activeElement === field);
            field.addEventListener('keydown', ({ key, keyCode }) => console.log('down', key, keyCode));
            field.addEventListener('keypress', (event) => event.key === 'b' && event.preventDefault());
            field.addEventListener('change', () => console.log('changed to', field.value));
            document.querySelector('button').onclick = () => window.close();",
        ),
        (
            "content.js",
            "document.body.append(document.createElement('input'), document.createElement('button'));
            document.addEventListener('click', (event) => console.log('page', event.target.tagName));",
        ),
    ];
    for profile in PROFILES {
        let options = ["--page", "https://a.example.com/", "--page", "https://b.example.org/", "--click"];
        let person = ["--press", "input", "--type", "ab", "--press", "button", "--press", "input"];
        let other = ["--tab", "2", "--press", "button", "--profile", profile];
        let run = run(&[EXTENSION], &[&options[..], &person, &other].concat());
        assert!(run.went_well, "{:?}", run.errors());
        let popup = ["clicked true", "down a 65", "down b 66", "changed to a"];
        assert_eq!(run.console("popup"), popup, "{profile}");
        assert_eq!(run.console("tab 1"), ["page INPUT"], "{profile}");
        assert_eq!(run.console("tab 2"), ["page BUTTON"], "{profile}");
    }
}

#[test]
fn what_is_typed_into_the_address_bar_reaches_the_extension_with_the_keyword() {
    const EXTENSION: Files = &[
        (
            "manifest.json",
            r#"{ "manifest_version": 3, "name": "Test", "version": "1", "omnibox": { "keyword": "find" },
                 "background": { "scripts": ["background.js"], "service_worker": "background.js" } }"#,
        ),
        (
            "background.js",
            "chrome.omnibox.setDefaultSuggestion({ description: 'Find it' });
            chrome.omnibox.onInputStarted.addListener(() => console.log('started'));
            chrome.omnibox.onInputChanged.addListener((text, suggest) => suggest([{ content: text + '!', description: 'Louder' }]));
            chrome.omnibox.onInputEntered.addListener((text, disposition) => console.log(text, disposition));",
        ),
    ];
    for profile in PROFILES {
        let run = run(&[EXTENSION], &["--omnibox", "find two words", "--profile", profile]);
        assert!(run.went_well, "{:?}", run.errors());
        assert_eq!(run.console("background"), ["started", "two words currentTab"], "{profile}");
        let suggested = ["omnibox.setDefaultSuggestion:  Find it", "omnibox.suggest: two words! Louder"];
        assert_eq!(run.console("browser"), suggested, "{profile}");
        let unknown = super::run(&[EXTENSION], &["--omnibox", "nobody has", "--profile", profile]);
        assert_eq!(unknown.errors(), [r#"?:null:null no extension has the keyword "nobody""#]);
    }
}

#[test]
fn a_menu_item_for_images_and_links_is_told_of_the_first() {
    const EXTENSION: Files = &[
        (
            "manifest.json",
            r#"{ "manifest_version": 3, "name": "Test", "version": "1", "permissions": ["contextMenus"], "action": { "default_popup": "popup.html" },
                 "background": { "scripts": ["background.js"], "service_worker": "background.js" } }"#,
        ),
        (
            "background.js",
            "chrome.contextMenus.create({ id: 'item', title: 'Item', contexts: ['image', 'link'] });
            chrome.contextMenus.onClicked.addListener(async ({ srcUrl, mediaType, linkUrl }) => {
                console.log(srcUrl, mediaType, linkUrl);
                await chrome.action.openPopup();
                console.log(await chrome.runtime.sendMessage('open?'));
            });",
        ),
        ("popup.html", "<script src=popup.js></script>"),
        ("popup.js", "chrome.runtime.onMessage.addListener((message, sender, answer) => answer('open'));"),
    ];
    let page = std::env::temp_dir().join(format!("port-core-page-{}.html", std::process::id()));
    std::fs::write(&page, "<a name=x><img alt=none><a href=/there>there</a><img src=here.png>")
        .expect("a temporary folder");
    for profile in PROFILES {
        let html = page.to_str().expect("plain text");
        let options =
            ["--page", "https://a.example.com/", "--html", html, "--menu", "item", "--profile", profile];
        let run = run(&[EXTENSION], &options);
        assert!(run.went_well, "{:?}", run.errors());
        let told = ["https://a.example.com/here.png image https://a.example.com/there", "open"];
        assert_eq!(run.console("background"), told, "{profile}");
    }
    std::fs::remove_file(page).expect("there");
}

#[test]
fn a_page_of_an_extension_opens_by_its_path_and_reaches_its_background_page() {
    const PAGE: Files = &[
        (
            "manifest.json",
            r#"{ "manifest_version": 2, "name": "Test", "version": "1", "background": { "scripts": ["background.js"] } }"#,
        ),
        ("background.js", "var counter = 1; function count(by) { counter += by; return counter; }"),
        ("page.html", "<title>Page</title><script src=page.js></script>"),
        (
            "page.js",
            "const background = chrome.extension.getBackgroundPage();
            console.log(background.count(2), background === window, background.location.pathname);
            chrome.runtime.getBackgroundPage((again) => console.log(again === background, again.counter));",
        ),
    ];
    const WORKER: Files = &[
        (
            "manifest.json",
            r#"{ "manifest_version": 3, "name": "Test", "version": "1", "background": { "service_worker": "background.js" } }"#,
        ),
        ("background.js", ""),
        ("page.html", "<script src=page.js></script>"),
        ("page.js", "console.log(chrome.extension.getBackgroundPage());"),
    ];
    for profile in PROFILES {
        let run =
            run(&[PAGE], &["--page", "https://a.example.com/", "--open", "/page.html", "--profile", profile]);
        assert!(run.went_well, "{:?}", run.errors());
        let told = ["3 false /_generated_background_page.html", "true 3"];
        assert_eq!(run.console("tab 2"), told, "{profile}");
        let run = super::run(
            &[WORKER],
            &["--page", "https://a.example.com/", "--open", "/page.html", "--profile", profile],
        );
        let told = [
            "not supported by this browser: the window of a background that is a worker, or does not run",
            "null",
        ];
        assert_eq!(run.console("tab 2"), told, "{profile}");
        let run = super::run(&[WORKER], &["--open", "/other.html", "--profile", profile]);
        assert_eq!(run.errors(), ["?:null:null no extension has the page /other.html"]);
    }
}

#[test]
fn a_script_that_goes_into_a_new_tab_waits_for_its_page() {
    const EXTENSION: Files = &[
        (
            "manifest.json",
            r#"{ "manifest_version": 2, "name": "Test", "version": "1", "permissions": ["https://*.example.org/*"],
                 "background": { "scripts": ["background.js"] } }"#,
        ),
        (
            "background.js",
            // The tab that closes may have shown its page before, or not: there is an answer.
            "chrome.tabs.create({ url: 'https://b.example.org/' }, ({ id }) => {
                chrome.tabs.executeScript(id, { code: 'location.host' }, ([host]) => console.log(host));
                chrome.tabs.create({ url: 'https://c.example.org/' }, ({ id }) => {
                    chrome.tabs.executeScript(id, { code: '1' }, () => { void chrome.runtime.lastError; console.log('answered'); });
                    chrome.tabs.remove(id);
                });
            });",
        ),
    ];
    for profile in PROFILES {
        let run = run(&[EXTENSION], &["--page", "https://a.example.com/", "--profile", profile]);
        assert!(run.went_well, "{:?}", run.errors());
        let mut told = run.console("background");
        told.sort_unstable();
        assert_eq!(told, ["answered", "b.example.org"], "{profile}");
    }
}
