//! Which browser's ways to follow where browsers differ.

use port_core::{DocumentId, Limits, Policies};
use std::str::FromStr;

/// The browser whose texts, shapes and rules scripts meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Chromium's.
    #[default]
    Chromium,
    /// Firefox's.
    Firefox,
}

impl Profile {
    /// The core's policies for this browser.
    pub fn policies(self) -> Policies {
        match self {
            Self::Chromium => Policies::CHROMIUM,
            Self::Firefox => Policies::FIREFOX,
        }
    }

    /// The core's limits for this browser.
    pub fn limits(self) -> Limits {
        // Names of 100,000 letters go through in both.
        let mut limits = Limits::default().name_bytes(1 << 20);
        if self == Self::Firefox {
            // No limit was found there.
            limits.message_bytes = usize::MAX;
        }
        limits
    }

    /// The scheme of an extension's own URLs.
    pub fn extension_scheme(self) -> &'static str {
        match self {
            Self::Chromium => "chrome-extension",
            Self::Firefox => "moz-extension",
        }
    }

    /// A document's id as scripts see it: 32 digits in Chromium, a UUID in Firefox.
    pub fn show_document(self, document: DocumentId) -> String {
        let digits = document.to_string();
        match self {
            Self::Chromium => digits,
            Self::Firefox => {
                let digits = digits.to_lowercase();
                let (parts, _) =
                    [8, 4, 4, 4, 12].iter().fold((Vec::new(), 0), |(mut parts, from), length| {
                        parts.push(&digits[from..from + length]);
                        (parts, from + length)
                    });
                parts.join("-")
            }
        }
    }

    /// The document with an id as scripts have it. Any other text names no document,
    /// which is no error: the connection finds no receiver.
    pub fn parse_document(self, text: &str) -> DocumentId {
        let digits = match self {
            Self::Chromium => text.to_owned(),
            Self::Firefox => text.replace('-', "").to_uppercase(),
        };
        u128::from_str_radix(&digits, 16)
            .map(DocumentId::new)
            .ok()
            .filter(|&document| self.show_document(document) == text)
            .unwrap_or(DocumentId::new(u128::MAX))
    }

    /// Events taken from the core before something else gets its turn. In Firefox a timer
    /// of zero that is set in `onConnect` comes before the messages, in Chromium after
    /// those that are there (measured).
    pub fn events_per_turn(self) -> usize {
        match self {
            Self::Chromium => 64,
            Self::Firefox => 1,
        }
    }

    /// `navigator.userAgent`.
    pub fn user_agent(self) -> &'static str {
        match self {
            Self::Chromium => {
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
            }
            Self::Firefox => "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
        }
    }

    /// The name on the command line and in the bindings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
        }
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Self::Chromium, Self::Firefox]
            .into_iter()
            .find(|profile| profile.name() == name)
            .ok_or_else(|| format!("no profile {name:?}; there are chromium and firefox"))
    }
}

#[cfg(test)]
mod tests {
    use super::Profile;
    use port_core::DocumentId;

    #[test]
    fn a_document_id_is_read_as_it_is_shown() {
        let id = DocumentId::new(0x1234_abcd);
        for profile in [Profile::Chromium, Profile::Firefox] {
            assert_eq!(profile.parse_document(&profile.show_document(id)), id);
            assert_eq!(profile.parse_document("zzz"), profile.parse_document(""));
            assert_ne!(profile.parse_document("1234ABCD"), id);
        }
        assert_eq!(Profile::Firefox.show_document(id), "00000000-0000-0000-0000-00001234abcd");
    }
}
