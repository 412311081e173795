//! The site that scenarios open: a page with frames, a frame, a plain page.

use crate::web::{MOST_FRAMES, Page};
use url::Url;

/// Its origin.
pub(super) const ORIGIN: &str = "http://127.0.0.1:47100";

/// The origin without the scheme.
pub(super) const HOST: &str = "127.0.0.1:47100";

/// Makes the page at a URL; a page of another kind is empty.
pub(crate) fn serve(url: &Url) -> Option<Page> {
    if url.host_str() != Some("127.0.0.1") && url.host_str() != Some("localhost") {
        return None;
    }
    let parameter = |wanted: &str| {
        url.query_pairs()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let mut page = Page::new(url.clone());
    match url.path() {
        "/page" => {
            page.own_title = Some(format!("page {}", parameter("s")));
            let count = parameter("n").parse().unwrap_or(0).min(MOST_FRAMES);
            page.frames = (1..=count)
                .filter_map(|number| {
                    let mut frame = url.join("/frame").ok()?;
                    let id = format!("f{number}");
                    frame
                        .query_pairs_mut()
                        .append_pair("s", &parameter("s"))
                        .append_pair("r", &parameter("r"))
                        .append_pair("f", &id);
                    if !parameter("x").is_empty() {
                        frame.query_pairs_mut().append_pair("x", &parameter("x"));
                    }
                    Some(Page { element_id: id, ..Page::new(frame) })
                })
                .collect();
        }
        "/plain" => page.own_title = Some("plain".to_owned()),
        _ => {}
    }
    Some(page)
}
