//! The virtual web: what pages there are, which frames they hold, and which sites
//! they belong to. Nothing is fetched.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use url::{Host, Url};

/// As many frames as Chromium allows in a page: a number in a command line or a URL may be any.
pub(crate) const MOST_FRAMES: usize = 1_000;

/// A page and the pages in its frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The page's URL.
    pub(crate) url: Url,
    /// `<title>`, where the page has one of its own.
    pub(crate) own_title: Option<String>,
    /// The page as HTML; empty where nobody gave it.
    pub(crate) html: Arc<str>,
    /// `id` of the frame element that shows the page.
    pub(crate) element_id: String,
    /// What its frames show, in document order.
    pub(crate) frames: Vec<Page>,
}

impl Page {
    /// A page without frames.
    pub(crate) fn new(url: Url) -> Self {
        Self { url, own_title: None, html: Arc::default(), element_id: String::new(), frames: Vec::new() }
    }

    /// Puts `count` frames into the page: every second one is of another site, every
    /// third one lies in the frame before it.
    pub(crate) fn add_frames(&mut self, count: usize) {
        for number in 1..=count {
            let url = if number % 2 == 0 {
                Url::parse(&format!("https://frame-{number}.example.net/"))
            } else {
                self.url.join(&format!("/frame-{number}"))
            };
            // A page without a path, such as about:blank, cannot have frames of its own site.
            let frame = Self::new(url.unwrap_or_else(|_| self.url.clone()));
            match self.frames.last_mut() {
                Some(before) if number % 3 == 0 => before.frames.push(frame),
                _ => self.frames.push(frame),
            }
        }
    }

    /// What scripts find as `document.title`.
    pub(crate) fn document_title(&self) -> String {
        self.own_title.clone().unwrap_or_default()
    }

    /// What the tab bar shows.
    pub(crate) fn title(&self) -> String {
        self.own_title.clone().unwrap_or_else(|| title_of(&self.url))
    }
}

impl FromStr for Page {
    type Err = String;

    /// `URL`, or `URL > URL …` for frames in frames.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut urls = text.split('>').map(str::trim).rev();
        let parse = |url: &str| Url::parse(url).map_err(|error| format!("{url:?} is no URL: {error}"));
        let innermost = Self::new(parse(urls.next().unwrap_or(""))?);
        urls.try_fold(innermost, |inner, outer| Ok(Self { frames: vec![inner], ..Self::new(parse(outer)?) }))
    }
}

/// The title of the virtual page at a URL.
pub(crate) fn title_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        _ if url.scheme() == "chrome-extension" => url.as_str().to_owned(),
        (None, _) => url.as_str().to_owned(),
        (Some(host), None) => format!("{host}{}", url.path()),
        (Some(host), Some(port)) => format!("{host}:{port}{}", url.path()),
    }
}

/// All pages whose frames are known. Any other URL shows a page without frames.
#[derive(Debug, Default)]
pub(crate) struct Web {
    pages: HashMap<String, Page>,
    server: Option<Server>,
}

/// A site that makes its pages when they are asked for.
pub(crate) type Server = fn(&Url) -> Option<Page>;

impl Web {
    /// Makes the page known under its URL.
    pub(crate) fn add(&mut self, page: Page) {
        self.pages.insert(without_fragment(&page.url), page);
    }

    /// Has a server asked for the pages that are not known.
    pub(crate) fn serve(&mut self, server: Server) {
        self.server = Some(server);
    }

    /// What a navigation to the URL shows.
    pub(crate) fn fetch(&self, url: &Url) -> Page {
        match self.pages.get(&without_fragment(url)) {
            Some(known) => Page { url: url.clone(), ..known.clone() },
            None => self.server.and_then(|serve| serve(url)).unwrap_or_else(|| Page::new(url.clone())),
        }
    }
}

fn without_fragment(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    url.into()
}

/// A scheme and a registrable domain: documents of one site share a thread.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Site(String);

impl Site {
    /// The site of a URL.
    ///
    /// Browsers look the registrable domain up in the public suffix list. Here it is
    /// the last two labels, or three where the second to last is as short as in `co.uk`.
    pub(crate) fn of(url: &Url) -> Self {
        let scheme = url.scheme();
        Self(match url.host() {
            Some(Host::Domain(domain)) => {
                let labels: Vec<&str> = domain.split('.').collect();
                let kept = match labels[..] {
                    [.., second, top] if second.len() <= 3 && top.len() == 2 => 3,
                    _ => 2,
                };
                format!("{scheme}://{}", labels[labels.len().saturating_sub(kept)..].join("."))
            }
            Some(address) => format!("{scheme}://{address}"),
            None => format!("{scheme}:"),
        })
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, Site, Web};
    use url::Url;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a valid URL")
    }

    #[test]
    fn sites_are_schemes_with_registrable_domains() {
        for (text, site) in [
            ("https://news.example.com/a", "https://example.com"),
            ("https://example.com:8080/", "https://example.com"),
            ("http://a.b.example.co.uk/", "http://example.co.uk"),
            ("http://localhost/", "http://localhost"),
            ("http://10.0.0.1/", "http://10.0.0.1"),
            ("about:blank", "about:"),
            ("chrome-extension://abcdef/page.html", "chrome-extension://abcdef"),
        ] {
            assert_eq!(Site::of(&url(text)).to_string(), site, "{text}");
        }
    }

    #[test]
    fn frames_nest_as_written() {
        let page: Page =
            "https://a.example/ > https://b.example/ > https://c.example/".parse().expect("URLs");
        assert_eq!(page.url, url("https://a.example/"));
        assert_eq!(page.frames[0].frames[0], Page::new(url("https://c.example/")));
        assert!("https://a.example/ > nonsense".parse::<Page>().is_err());
    }

    #[test]
    fn a_number_of_frames_is_spread_over_sites_and_depths() {
        let mut page = Page::new(url("https://a.example.com/"));
        page.add_frames(4);
        let urls: Vec<&str> = page.frames.iter().map(|frame| frame.url.as_str()).collect();
        assert_eq!(
            urls,
            ["https://a.example.com/frame-1", "https://frame-2.example.net/", "https://frame-4.example.net/"]
        );
        assert_eq!(page.frames[1].frames[0].url, url("https://a.example.com/frame-3"));
    }

    #[test]
    fn a_page_is_found_whatever_its_fragment() {
        let mut page = Page::new(url("https://a.example/"));
        page.add_frames(1);
        let mut web = Web::default();
        web.add(page);
        assert_eq!(web.fetch(&url("https://a.example/#top")).frames.len(), 1);
        assert_eq!(web.fetch(&url("https://a.example/other")).frames.len(), 0);
    }
}
