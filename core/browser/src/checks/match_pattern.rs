//! Match patterns and globs.

use super::texts;
use port_core_webext::extension::{Glob, MatchPattern};
use url::Url;

/// A pattern and a URL that it is held against.
pub fn match_pattern(input: &[u8]) {
    let texts = texts(input);
    let (pattern, text) = (texts[0].as_str(), texts.get(1).map_or("", String::as_str));
    if pattern.len() * text.len() < 1 << 16 {
        assert_eq!(Glob::stars(pattern).matches(text), matches(pattern, text, false));
        assert_eq!(Glob::wildcards(pattern).matches(text), matches(pattern, text, true));
    }
    let parsed = pattern.parse::<MatchPattern>();
    let Ok(url) = Url::parse(text) else { return };
    match parsed {
        Ok(parsed) if parsed.matches(&url) => {
            assert!(MatchPattern::AllUrls.matches(&url), "{pattern} covers {url}, and <all_urls> does not");
            let mut elsewhere = url.clone();
            elsewhere.set_fragment(Some("elsewhere"));
            assert!(parsed.matches(&elsewhere), "a fragment counts: {pattern}, {url}");
        }
        Ok(_) => {}
        Err(error) => assert!(error.contains(&format!("{pattern:?}"))),
    }
    covers_itself(&url);
}

/// A URL is covered by the pattern that says the same.
fn covers_itself(url: &Url) {
    let host = url.host_str().unwrap_or("");
    let can_be_said = MatchPattern::AllUrls.matches(url)
        && (!host.is_empty() || url.scheme() == "file")
        && !host.contains('*')
        && url.path().starts_with('/');
    if !can_be_said {
        return;
    }
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let pattern = format!("{}://{host}{port}{}{query}", url.scheme(), url.path());
    let parsed = pattern.parse::<MatchPattern>();
    assert!(parsed.is_ok_and(|parsed| parsed.matches(url)), "{pattern} does not cover {url}");
}

/// The same as a glob, the slow way: for each piece of the pattern, which beginnings of
/// the text it can cover.
fn matches(pattern: &str, text: &str, question_mark: bool) -> bool {
    let text = text.as_bytes();
    let mut covered = vec![false; text.len() + 1];
    covered[0] = true;
    for &piece in pattern.as_bytes() {
        let mut next = vec![false; covered.len()];
        for (length, next) in next.iter_mut().enumerate() {
            *next = match piece {
                b'*' => covered[..=length].contains(&true),
                _ => {
                    length > 0
                        && covered[length - 1]
                        && (piece == text[length - 1] || (question_mark && piece == b'?'))
                }
            };
        }
        covered = next;
    }
    covered[text.len()]
}
