//! Which browser's ways to follow where browsers differ.

use port_core::{Limits, Policies};
use std::str::FromStr;

/// The browser whose texts, shapes and rules scripts meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Chromium's.
    #[default]
    Chromium,
    /// Firefox's.
    Firefox,
}

impl Profile {
    /// The core's policies for this browser.
    pub(crate) fn policies(self) -> Policies {
        match self {
            Self::Chromium => Policies::CHROMIUM,
            Self::Firefox => Policies::FIREFOX,
        }
    }

    /// The core's limits for this browser.
    pub(crate) fn limits(self) -> Limits {
        let mut limits = Limits::default();
        if self == Self::Firefox {
            // No limit was found there.
            limits.message_bytes = usize::MAX;
        }
        limits
    }

    /// The scheme of an extension's own URLs.
    pub(crate) fn extension_scheme(self) -> &'static str {
        match self {
            Self::Chromium => "chrome-extension",
            Self::Firefox => "moz-extension",
        }
    }

    /// The name on the command line and in the bindings.
    pub(crate) fn name(self) -> &'static str {
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
