//! Match patterns: which URLs an extension may touch.
//!
//! <https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/Match_patterns>

use super::glob::Glob;
use serde::Deserialize;
use std::str::FromStr;
use url::Url;

/// One match pattern, such as `<all_urls>` or `*://*.example.com/news/*`.
///
/// ```
/// use port_core_webext::extension::MatchPattern;
///
/// let pattern: MatchPattern = "*://*.example.com/news/*".parse()?;
/// assert!(pattern.matches(&"https://www.example.com/news/today".parse()?));
/// assert!(!pattern.matches(&"https://www.example.com/weather".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum MatchPattern {
    /// `<all_urls>`: every URL of a scheme that extensions may touch.
    AllUrls,
    /// `scheme://host/path`.
    Parts {
        /// What comes before `://`.
        scheme: Scheme,
        /// What stands between `://` and the path.
        host: Host,
        /// The port after the host; none for any.
        port: Option<u16>,
        /// The path with the query.
        path: Glob,
    },
}

/// The scheme of a match pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `*`: `http` and `https`.
    Web,
    /// One scheme.
    Only(String),
}

/// The host of a match pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// `*`, or the empty host of a `file:` pattern.
    Any,
    /// `*.example.com`: that host and all below it.
    AtOrBelow(String),
    /// `example.com`: that host alone.
    Only(String),
}

/// The schemes that `<all_urls>` covers and that a pattern may name.
const SCHEMES: [&str; 6] = ["http", "https", "ws", "wss", "ftp", "file"];

/// Schemes of extensions' own pages: a pattern may name them, `<all_urls>` leaves them out.
const EXTENSION_SCHEMES: [&str; 2] = ["chrome-extension", "moz-extension"];

impl MatchPattern {
    /// Whether the pattern covers the URL; its fragment does not count.
    pub fn matches(&self, url: &Url) -> bool {
        match self {
            Self::AllUrls => SCHEMES.contains(&url.scheme()),
            Self::Parts { scheme, host, port, path } => {
                scheme.matches(url.scheme())
                    && host.matches(url.host_str().unwrap_or(""))
                    && port.is_none_or(|port| url.port_or_known_default() == Some(port))
                    && match url.query() {
                        Some(query) => path.matches(&format!("{}?{query}", url.path())),
                        None => path.matches(url.path()),
                    }
            }
        }
    }
}

impl Scheme {
    fn matches(&self, scheme: &str) -> bool {
        match self {
            Self::Web => scheme == "http" || scheme == "https",
            Self::Only(only) => scheme == only,
        }
    }
}

impl Host {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let (below, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        match (below, name) {
            (false, "*") => Ok(Self::Any),
            (_, "") => Err("the host is missing"),
            (_, name) if name.contains('*') => Err("'*' in a host must stand alone or be followed by '.'"),
            (true, name) => Ok(Self::AtOrBelow(name.to_ascii_lowercase())),
            (false, name) => Ok(Self::Only(name.to_ascii_lowercase())),
        }
    }

    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(only) => host == only,
            Self::AtOrBelow(top) => {
                host.strip_suffix(top.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
        }
    }
}

impl FromStr for MatchPattern {
    type Err = String;

    fn from_str(pattern: &str) -> Result<Self, String> {
        if pattern == "<all_urls>" {
            return Ok(Self::AllUrls);
        }
        let invalid = |why: &str| format!("invalid match pattern {pattern:?}: {why}");
        let (scheme, rest) = pattern.split_once("://").ok_or_else(|| invalid("'://' is missing"))?;
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => return Err(invalid("the path is missing; '/*' stands for any")),
        };
        let scheme = match scheme {
            "*" => Scheme::Web,
            known if SCHEMES.contains(&known) || EXTENSION_SCHEMES.contains(&known) => {
                Scheme::Only(known.to_owned())
            }
            _ => return Err(invalid("unknown scheme")),
        };
        let (host, port) = match authority.rsplit_once(':') {
            // A colon inside of brackets belongs to an IPv6 address.
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (authority, "*"),
        };
        let port = match port {
            "*" => None,
            number => Some(number.parse().map_err(|_| invalid("the port is not a number"))?),
        };
        let host = match (&scheme, host) {
            (Scheme::Only(file), "") if file == "file" => Host::Any,
            (_, host) => Host::parse(host).map_err(invalid)?,
        };
        Ok(Self::Parts { scheme, host, port, path: Glob::stars(path) })
    }
}

impl TryFrom<String> for MatchPattern {
    type Error = String;

    fn try_from(pattern: String) -> Result<Self, String> {
        pattern.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::MatchPattern;
    use url::Url;

    fn matches(pattern: &str, url: &str) -> bool {
        let pattern: MatchPattern = pattern.parse().expect("a valid pattern");
        pattern.matches(&Url::parse(url).expect("a valid URL"))
    }

    #[test]
    fn all_urls_covers_web_and_files_but_no_internal_pages() {
        for url in ["http://a.example/", "https://a.example:8080/x?y#z", "file:///tmp/a", "ftp://a.example/"]
        {
            assert!(matches("<all_urls>", url), "{url}");
        }
        for url in ["about:blank", "chrome-extension://abc/page.html", "data:text/html,hi"] {
            assert!(!matches("<all_urls>", url), "{url}");
        }
    }

    #[test]
    fn a_star_scheme_is_http_and_https() {
        assert!(matches("*://a.example/*", "http://a.example/"));
        assert!(matches("*://a.example/*", "https://a.example/"));
        assert!(!matches("*://a.example/*", "ftp://a.example/"));
        assert!(!matches("https://a.example/*", "http://a.example/"));
    }

    #[test]
    fn a_host_covers_itself_and_with_a_star_all_below() {
        assert!(matches("*://*.example.com/*", "https://example.com/"));
        assert!(matches("*://*.example.com/*", "https://news.example.com/"));
        assert!(matches("*://*.EXAMPLE.com/*", "https://a.b.Example.com/"));
        assert!(!matches("*://*.example.com/*", "https://badexample.com/"));
        assert!(!matches("*://example.com/*", "https://news.example.com/"));
        assert!(matches("*://*/*", "https://anything.example/"));
    }

    #[test]
    fn a_path_is_matched_with_the_query_and_without_the_fragment() {
        assert!(matches("https://a.example/*/x?q=*", "https://a.example/1/2/x?q=3#f"));
        assert!(matches("https://a.example/x", "https://a.example/x#f"));
        assert!(!matches("https://a.example/x", "https://a.example/x?q"));
        assert!(!matches("https://a.example/", "https://a.example/x"));
    }

    #[test]
    fn a_port_is_matched_when_given() {
        assert!(matches("http://localhost:8080/*", "http://localhost:8080/"));
        assert!(!matches("http://localhost:8080/*", "http://localhost/"));
        assert!(matches("http://localhost:*/*", "http://localhost:3000/"));
        assert!(matches("http://localhost/*", "http://localhost:3000/"));
        assert!(matches("https://a.example:443/*", "https://a.example/"));
    }

    #[test]
    fn a_file_pattern_has_no_host() {
        assert!(matches("file:///home/*", "file:///home/me/page.html"));
        assert!(!matches("file:///home/*", "file:///tmp/page.html"));
    }

    #[test]
    fn a_bad_pattern_says_what_is_wrong() {
        for (pattern, why) in [
            ("https:/a.example/", "'://' is missing"),
            ("https://a.example", "the path is missing"),
            ("gopher://a.example/", "unknown scheme"),
            ("https:///x", "the host is missing"),
            ("https://*a.example/", "'*' in a host"),
            ("https://a.*.example/", "'*' in a host"),
            ("https://a.example:x/", "not a number"),
        ] {
            let error = pattern.parse::<MatchPattern>().expect_err(pattern);
            assert!(error.contains(pattern) && error.contains(why), "{error}");
        }
    }
}
