//! Text patterns with wildcards, as in match patterns and `include_globs`.

/// A text pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    pattern: String,
    /// Whether `?` stands for any one character (`include_globs`) or for itself (match patterns).
    question_mark: bool,
}

impl Glob {
    /// A pattern in which only `*` is special: the path of a match pattern.
    pub fn stars(pattern: &str) -> Self {
        Self { pattern: pattern.to_owned(), question_mark: false }
    }

    /// A pattern in which `*` stands for any text and `?` for one character:
    /// `include_globs` and `exclude_globs`.
    pub fn wildcards(pattern: &str) -> Self {
        Self { pattern: pattern.to_owned(), question_mark: true }
    }

    /// Whether the whole text matches.
    ///
    /// Greedy with one step back: on a mismatch only the latest `*` takes one more
    /// character, so the time is bounded by pattern × text.
    pub fn matches(&self, text: &str) -> bool {
        let pattern = self.pattern.as_bytes();
        let text = text.as_bytes();
        let (mut in_pattern, mut in_text) = (0, 0);
        let mut latest_star = None;
        while in_text < text.len() {
            match pattern.get(in_pattern) {
                Some(b'*') => {
                    latest_star = Some((in_pattern, in_text));
                    in_pattern += 1;
                }
                Some(&byte) if byte == text[in_text] || (self.question_mark && byte == b'?') => {
                    in_pattern += 1;
                    in_text += 1;
                }
                _ => match latest_star {
                    Some((star, taken)) => {
                        latest_star = Some((star, taken + 1));
                        in_pattern = star + 1;
                        in_text = taken + 1;
                    }
                    None => return false,
                },
            }
        }
        pattern[in_pattern..].iter().all(|&byte| byte == b'*')
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(Glob::stars("/*").matches("/"));
        assert!(Glob::stars("/a*c*").matches("/abc"));
        assert!(Glob::stars("/*.html?x=*").matches("/a.html.html?x="));
        assert!(!Glob::stars("/a*c").matches("/abcd"));
        assert!(!Glob::stars("/").matches("/a"));
    }

    #[test]
    fn a_question_mark_is_special_in_globs_only() {
        assert!(Glob::wildcards("https://???.example/*").matches("https://www.example/"));
        assert!(!Glob::wildcards("https://???.example/*").matches("https://ww.example/"));
        assert!(!Glob::stars("/?").matches("/a"));
        assert!(Glob::stars("/?").matches("/?"));
    }
}
