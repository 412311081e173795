//! Documents that hold measured sections, between a line `<!-- measured: NAME -->` and a
//! line `<!-- end -->`. Programs that measure apart say so by other words than *measured*.

use super::markdown::Section;

const END: &str = "<!-- end -->";

/// The document with the sections that it marks by these words put in anew; `None` where a mark has no
/// end or no section of its name, or there is no mark.
#[must_use]
pub fn renewed(document: &str, words: &str, sections: &[Section]) -> Option<String> {
    let mark = format!("<!-- {words}: ");
    let mut is_marked = false;
    let mut text = String::with_capacity(document.len());
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        text.push_str(line);
        text.push('\n');
        let Some(name) = line.strip_prefix(&mark).and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        let (_, section) = sections.iter().find(|(section, _)| *section == name)?;
        is_marked = true;
        text.push_str(section);
        lines.by_ref().find(|line| *line == END)?;
        text.push_str(END);
        text.push('\n');
    }
    is_marked.then_some(text)
}
