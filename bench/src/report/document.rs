//! Documents that hold measured sections, between a line `<!-- measured: NAME -->` and a
//! line `<!-- end -->`.

use super::markdown::Section;

const END: &str = "<!-- end -->";

/// The document with the sections it marks put in anew; `None` where a mark has no
/// end or no section of its name.
#[must_use]
pub fn renewed(document: &str, sections: &[Section]) -> Option<String> {
    let mut text = String::with_capacity(document.len());
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        text.push_str(line);
        text.push('\n');
        let Some(name) = line.strip_prefix("<!-- measured: ").and_then(|rest| rest.strip_suffix(" -->"))
        else {
            continue;
        };
        let (_, section) = sections.iter().find(|(section, _)| *section == name)?;
        text.push_str(section);
        lines.by_ref().find(|line| *line == END)?;
        text.push_str(END);
        text.push('\n');
    }
    Some(text)
}
