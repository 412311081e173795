//! URLs: as scripts take them apart, as pages with frames, as sites; and the places in
//! stack traces, which hold URLs.

use super::texts;
use crate::script_error::Position;
use crate::web::{MOST_FRAMES, Page, Site, Web, title_of};
use port_core_webext::{Profile, origin_of, parse_url};
use serde_json::Value;
use url::Url;

/// A URL, and perhaps a base for it.
pub fn urls(input: &[u8]) {
    let texts = texts(input);
    let (text, base) = (texts[0].as_str(), texts.get(1).map(String::as_str));
    if let Some(parts) = parse_url(text, base) {
        make_up_the_whole(&serde_json::from_str(&parts).expect("JSON"));
    }
    if let Ok(page) = text.parse::<Page>() {
        assert_eq!(depth(&page), text.split('>').count(), "pages are as deep as they were written");
    }
    if let Some(position) = Position::of_frame(text) {
        assert!(text.contains(position.script));
    }
    for profile in [Profile::Chromium, Profile::Firefox] {
        let document = profile.parse_document(text);
        assert_eq!(profile.parse_document(&profile.show_document(document)), document);
    }
    let Ok(url) = Url::parse(text) else { return };
    assert!(!Site::of(&url).to_string().is_empty());
    assert!(!title_of(&url).is_empty() && !origin_of(&url).is_empty());
    let mut web = Web::default();
    web.serve(crate::trace::serve);
    let page = web.fetch(&url);
    assert!(page.frames.len() <= MOST_FRAMES, "a URL makes {} frames", page.frames.len());
    web.add(page.clone());
    assert_eq!(web.fetch(&url), page);
}

/// The parts of a URL, put together, are the URL.
fn make_up_the_whole(parts: &Value) {
    let part = |name: &str| parts[name].as_str().expect("a text");
    let href = part("href");
    let url = Url::parse(href).expect("what was parsed once is parsed again");
    assert_eq!(url.as_str(), href);
    assert_eq!(part("origin"), origin_of(&url));
    // Marks with nothing behind them are no part.
    if url.has_host() && url.query() != Some("") && url.fragment() != Some("") {
        let password = Some(part("password")).filter(|password| !password.is_empty());
        let password = password.map(|password| format!(":{password}")).unwrap_or_default();
        let person = format!("{}{password}", part("username"));
        let person = if person.is_empty() { person } else { format!("{person}@") };
        let [protocol, host, path, search, hash] =
            ["protocol", "host", "pathname", "search", "hash"].map(part);
        assert_eq!(format!("{protocol}//{person}{host}{path}{search}{hash}"), href);
    }
}

fn depth(page: &Page) -> usize {
    std::iter::successors(Some(page), |page| page.frames.first()).count()
}
