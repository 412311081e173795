//! Manifests, and the pages that they name.

use super::texts;
use port_core_webext::Profile;
use port_core_webext::extension::manifest::{Manifest, RunAt, ScriptWorld, without_comments};
use port_core_webext::extension::{Extension, MatchedFrame, MemoryFiles};
use std::sync::Arc;
use url::Url;

/// A manifest, perhaps with a page behind it.
pub fn manifest(input: &[u8]) {
    let texts = texts(input);
    let manifest = &texts[0];
    comments_leave_places_as_they_are(manifest);
    match Manifest::parse(manifest) {
        Ok(parsed) => {
            assert!(parsed.hosts().count() < manifest.len());
            parsed.external_connections(Profile::Chromium);
        }
        Err(error) => {
            assert!(error.line <= manifest.split('\n').count(), "no such line: {error:?}");
            assert!(!error.message.is_empty());
        }
    }
    let page = texts.get(1).cloned().unwrap_or_default();
    for profile in [Profile::Chromium, Profile::Firefox] {
        load(manifest, &page, profile);
    }
}

fn comments_leave_places_as_they_are(text: &str) {
    let plain = without_comments(text);
    let shape = |text: &str| -> Vec<usize> { text.split('\n').map(|line| line.chars().count()).collect() };
    assert_eq!(shape(&plain), shape(text.trim_start_matches('\u{feff}')), "places have moved");
    assert_eq!(without_comments(&plain), plain, "a comment was left");
}

fn load(manifest: &str, page: &str, profile: Profile) {
    let files = [("manifest.json", manifest), ("a.html", page), ("a.js", "1"), ("b.js", "2")];
    match Extension::load(Arc::new(MemoryFiles::new("test", files)), profile) {
        Ok(extension) => {
            for text in ["https://a.example/a?b#c", "file:///a", "about:blank"] {
                let url = Url::parse(text).expect("a URL");
                for is_top in [true, false] {
                    let frame = MatchedFrame { url: &url, maker: None, is_top, is_sandboxed: false, profile };
                    let scripts =
                        extension.content_scripts_for(frame, ScriptWorld::Isolated).unwrap_or_default();
                    assert!(is_top || RunAt::ALL.iter().all(|&moment| scripts.at(moment).len() < 1_000_000));
                }
                extension.may_see(&url);
                assert!(!extension.owns(&url));
            }
            let page = extension.base().join("a.html").expect("a URL");
            assert!(extension.may_see(&page));
            extension.is_devtools_page(&page);
            if let Some(background) = extension.background() {
                assert!(extension.owns(&background.url), "the background is elsewhere: {}", background.url);
            }
            if let Ok(page) = extension.page(&page) {
                for script in page.scripts.at(RunAt::End) {
                    assert!(!extension.file_of(&script.url).is_empty());
                }
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
