//! Pages of an extension: an HTML file, of which only the script elements count.

use super::manifest::ScriptKind;

/// The sources that a page's script elements name, in order. Inline scripts are
/// left out: browsers refuse them in extension pages.
pub(super) fn scripts_of(html: &str) -> Vec<(String, ScriptKind)> {
    let html = without_html_comments(html);
    // ASCII only, so that byte positions stay what they are.
    let lower = html.to_ascii_lowercase();
    let mut scripts = Vec::new();
    let mut position = 0;
    while let Some(found) = lower[position..].find("<script") {
        let start = position + found + "<script".len();
        let end = lower[start..].find('>').map_or(html.len(), |end| start + end);
        let attributes = &html[start..end];
        if let Some(source) = attribute(attributes, "src") {
            let is_module =
                attribute(attributes, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("module"));
            let kind = if is_module { ScriptKind::Module } else { ScriptKind::Classic };
            scripts.push((source.to_owned(), kind));
        }
        position = lower[end..].find("</script").map_or(html.len(), |close| end + close);
    }
    scripts
}

/// The page's title; empty when it has none.
pub(super) fn title_of(html: &str) -> &str {
    let lower = html.to_ascii_lowercase();
    lower
        .find("<title>")
        .map(|start| start + "<title>".len())
        .and_then(|start| Some(html[start..start + lower[start..].find("</title>")?].trim()))
        .unwrap_or("")
}

/// Returns an attribute of the first element of a kind in a page that has it.
pub fn attribute_of_first<'a>(html: &'a str, element: &str, name: &str) -> Option<&'a str> {
    let starts = html.match_indices('<').map(|(start, _)| &html[start + 1..]);
    let tags = starts.filter_map(|rest| {
        let tag = rest.get(..element.len())?.eq_ignore_ascii_case(element).then(|| &rest[element.len()..])?;
        tag.starts_with(char::is_whitespace).then(|| tag.split('>').next().unwrap_or_default())
    });
    tags.filter_map(|attributes| attribute(attributes, name)).next()
}

/// The value of an attribute in the text of a start tag.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes.trim_start();
    while !rest.is_empty() {
        let name_end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (found, after) = rest.split_at(name_end);
        let after = after.trim_start();
        let Some(value) = after.strip_prefix('=').map(str::trim_start) else {
            rest = after;
            continue;
        };
        let (value, after) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            _ => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
        };
        if found.eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = after.trim_start();
    }
    None
}

fn without_html_comments(html: &str) -> String {
    let mut plain = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, comment)) = rest.split_once("<!--") {
        plain.push_str(before);
        rest = comment.split_once("-->").map_or("", |(_, after)| after);
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::{attribute_of_first, scripts_of, title_of};
    use crate::extension::manifest::ScriptKind;

    #[test]
    fn script_elements_are_found_in_order() {
        let html = r#"<!doctype html><title> My page </title><!-- <script src="no.js"></script> -->
            <SCRIPT SRC='one.js'></SCRIPT><script async type=module src=two.js></script>
            <script>inline("<script src='no.js'>")</script>"#;
        assert_eq!(
            scripts_of(html),
            [("one.js".to_owned(), ScriptKind::Classic), ("two.js".to_owned(), ScriptKind::Module)]
        );
        assert_eq!(title_of(html), "My page");
    }

    #[test]
    fn the_first_element_with_an_attribute_is_found() {
        let html = "<abbr href=no><a name=x><A HREF='/one'>one</a><img alt=\"a\" src=two.png>";
        assert_eq!(attribute_of_first(html, "a", "href"), Some("/one"));
        assert_eq!(attribute_of_first(html, "img", "src"), Some("two.png"));
        assert_eq!(attribute_of_first(html, "video", "src"), None);
    }

    #[test]
    fn broken_html_is_no_reason_to_fail() {
        assert_eq!(scripts_of("<script src='a.js"), [("a.js".to_owned(), ScriptKind::Classic)]);
        assert_eq!(scripts_of("<script"), []);
        assert_eq!(scripts_of("<!-- <script src=a.js>"), []);
        assert_eq!(title_of("<title>never closed"), "");
    }
}
