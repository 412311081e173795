//! What a person has granted an extension besides what its manifest asks for from the start.

use super::match_pattern::MatchPattern;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use url::Url;

/// Optional permissions and origins that are granted now. A manifest bounds how many there can be.
#[derive(Debug, Default)]
pub(super) struct Grants {
    granted: RwLock<Granted>,
}

/// Names and origins, each once.
#[derive(Debug, Default)]
struct Granted {
    names: Vec<String>,
    origins: Vec<(String, MatchPattern)>,
}

impl Grants {
    fn read(&self) -> RwLockReadGuard<'_, Granted> {
        self.granted.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Granted> {
        self.granted.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.read().names.clone()
    }

    pub(super) fn origins(&self) -> Vec<String> {
        self.read().origins.iter().map(|(text, _)| text.clone()).collect()
    }

    /// Whether an origin that is granted has the URL.
    pub(super) fn has_site(&self, url: &Url) -> bool {
        self.read().origins.iter().any(|(_, pattern)| pattern.matches(url))
    }

    /// Adds what is new; an origin that is no match pattern is left out.
    pub(super) fn add(&self, names: &[String], origins: &[String]) {
        let mut granted = self.write();
        for name in names {
            if !granted.names.contains(name) {
                granted.names.push(name.clone());
            }
        }
        for origin in origins {
            if let Some(pattern) =
                origin.parse().ok().filter(|_| !granted.origins.iter().any(|(known, _)| known == origin))
            {
                granted.origins.push((origin.clone(), pattern));
            }
        }
    }

    pub(super) fn remove(&self, names: &[String], origins: &[String]) {
        let mut granted = self.write();
        granted.names.retain(|name| !names.contains(name));
        granted.origins.retain(|(origin, _)| !origins.contains(origin));
    }
}

/// Whether one match pattern covers all of another, as far as a few URLs of the other show it.
pub(super) fn covers(pattern: &str, other: &str) -> bool {
    let Ok(parsed) = pattern.parse::<MatchPattern>() else { return false };
    let Some((scheme, rest)) = other.split_once("://") else { return pattern == other };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let schemes = if scheme == "*" { &["http", "https"][..] } else { &[scheme] };
    let hosts: Vec<String> = match host.strip_prefix("*.") {
        Some(domain) => vec![domain.to_owned(), format!("any.{domain}")],
        None if host == "*" => vec!["any.example".to_owned(), "example.any".to_owned()],
        None => vec![host.to_owned()],
    };
    let urls = schemes.iter().flat_map(|scheme| {
        hosts.iter().map(move |host| Url::parse(&format!("{scheme}://{host}/{}", path.replace('*', "any"))))
    });
    pattern == other || urls.into_iter().all(|url| url.is_ok_and(|url| parsed.matches(&url)))
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_pattern_covers_what_is_narrower() {
        for (pattern, other, expected) in [
            ("<all_urls>", "https://example.com/*", true),
            ("*://*/*", "*://*.example.com/*", true),
            ("https://*.example.com/*", "https://www.example.com/*", true),
            ("https://www.example.com/*", "https://*.example.com/*", false),
            ("https://*/*", "*://example.com/*", false),
            ("https://example.com/*", "https://*/*", false),
            ("<all_urls>", "<all_urls>", true),
            ("https://example.com/*", "<all_urls>", false),
            ("nonsense", "https://example.com/*", false),
        ] {
            assert_eq!(covers(pattern, other), expected, "{pattern} {other}");
        }
    }
}
