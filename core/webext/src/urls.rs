//! URLs as scripts see them: an origin, and the parts of the `URL` interface.

use url::Url;

/// Returns `scheme://host:port`, as `location.origin` gives it; `null` where there is no host.
pub fn origin_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{}://{host}:{port}", url.scheme()),
        (Some(host), None) => format!("{}://{host}", url.scheme()),
        (None, _) => "null".to_owned(),
    }
}

/// Returns the parts of a URL as JSON, named as in the `URL` interface; `None` for what is no URL.
pub fn parse_url(url: &str, base: Option<&str>) -> Option<String> {
    let base = match base {
        Some(base) => Some(Url::parse(base).ok()?),
        None => None,
    };
    let url = Url::options().base_url(base.as_ref()).parse(url).ok()?;
    let hostname = url.host_str().unwrap_or("");
    let port = url.port().map(|port| port.to_string()).unwrap_or_default();
    let host = if port.is_empty() { hostname.to_owned() } else { format!("{hostname}:{port}") };
    let prefixed = |prefix: char, part: Option<&str>| match part {
        None | Some("") => String::new(),
        Some(part) => format!("{prefix}{part}"),
    };
    let parts = serde_json::json!({
        "href": url.as_str(),
        "origin": origin_of(&url),
        "protocol": format!("{}:", url.scheme()),
        "username": url.username(),
        "password": url.password().unwrap_or(""),
        "host": host,
        "hostname": hostname,
        "port": port,
        "pathname": url.path(),
        "search": prefixed('?', url.query()),
        "hash": prefixed('#', url.fragment()),
    });
    Some(parts.to_string())
}

#[cfg(test)]
mod tests {
    use super::{origin_of, parse_url};
    use url::Url;

    #[test]
    fn a_url_is_taken_apart() {
        let parts = parse_url("../b?q=1#f", Some("https://a.example:8080/x/y")).expect("a URL");
        let parts: serde_json::Value = serde_json::from_str(&parts).expect("JSON");
        for (name, value) in [
            ("href", "https://a.example:8080/b?q=1#f"),
            ("host", "a.example:8080"),
            ("pathname", "/b"),
            ("search", "?q=1"),
            ("hash", "#f"),
            ("origin", "https://a.example:8080"),
        ] {
            assert_eq!(parts[name], value, "{name}");
        }
        assert_eq!(parse_url("nonsense", None), None);
    }

    #[test]
    fn an_origin_leaves_the_path_out() {
        let origin = |text: &str| origin_of(&Url::parse(text).expect("a URL"));
        assert_eq!(origin("https://a.example/x?y"), "https://a.example");
        assert_eq!(origin("https://a.example:8080/"), "https://a.example:8080");
        assert_eq!(origin("about:blank"), "null");
    }
}
