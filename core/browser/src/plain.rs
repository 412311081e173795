//! Ids and URLs as plain values that serde knows, for what crosses to another process: `#[serde(with = "crate::plain")]`.

use port_core::{ContextId, ContextKind, DocumentId, ExtensionInstance, FrameId, Place, TabId};
use port_core_webext::extension::Script;
use port_core_webext::extension::manifest::ScriptKind;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;
use url::Url;

/// A type that has a plain form.
pub(crate) trait Plain: Sized {
    /// The plain form.
    type Form: Serialize + for<'de> Deserialize<'de>;

    fn to_plain(&self) -> Self::Form;

    /// Reads the plain form; `None` if it is no such thing.
    fn from_plain(form: Self::Form) -> Option<Self>;
}

pub(crate) fn serialize<T: Plain, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.to_plain().serialize(serializer)
}

pub(crate) fn deserialize<'de, T: Plain, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::from_plain(T::Form::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("no such value"))
}

macro_rules! number {
    ($($type:ty: $to:ident, $from:ident;)+) => {
        $(impl Plain for $type {
            type Form = u64;

            fn to_plain(&self) -> u64 {
                self.$to()
            }

            fn from_plain(form: u64) -> Option<Self> {
                Some(Self::$from(form))
            }
        })+
    };
}

number! {
    TabId: get, new;
    FrameId: get, new;
    ContextId: to_bits, from_bits;
    ExtensionInstance: to_bits, from_bits;
}

impl Plain for DocumentId {
    /// JSON's numbers have fewer bits.
    type Form = (u64, u64);

    fn to_plain(&self) -> Self::Form {
        #[allow(clippy::cast_possible_truncation, reason = "the lower half")]
        let low = self.get() as u64;
        ((self.get() >> 64) as u64, low)
    }

    fn from_plain((high, low): Self::Form) -> Option<Self> {
        Some(Self::new(u128::from(high) << 64 | u128::from(low)))
    }
}

impl Plain for Place {
    type Form = (u64, u64, (u64, u64));

    fn to_plain(&self) -> Self::Form {
        (self.tab.get(), self.frame.get(), self.document.to_plain())
    }

    fn from_plain((tab, frame, document): Self::Form) -> Option<Self> {
        Some(Self::new(TabId::new(tab), FrameId::new(frame), DocumentId::from_plain(document)?))
    }
}

impl Plain for ContextKind {
    type Form = u8;

    fn to_plain(&self) -> u8 {
        match self {
            Self::ContentScript => 0,
            Self::Background => 1,
            Self::WebPage => 3,
            _ => 2,
        }
    }

    fn from_plain(form: u8) -> Option<Self> {
        match form {
            0 => Some(Self::ContentScript),
            1 => Some(Self::Background),
            2 => Some(Self::Page),
            3 => Some(Self::WebPage),
            _ => None,
        }
    }
}

impl Plain for Url {
    type Form = String;

    fn to_plain(&self) -> String {
        self.as_str().to_owned()
    }

    fn from_plain(form: String) -> Option<Self> {
        Self::parse(&form).ok()
    }
}

impl Plain for Script {
    /// Its URL, its text, and whether it is a module.
    type Form = (String, String, bool);

    fn to_plain(&self) -> Self::Form {
        (self.url.to_plain(), self.text.to_plain(), self.kind == ScriptKind::Module)
    }

    fn from_plain((url, text, is_module): Self::Form) -> Option<Self> {
        let kind = if is_module { ScriptKind::Module } else { ScriptKind::Classic };
        Some(Self { url: url.into(), text: text.into(), kind })
    }
}

impl Plain for u32 {
    type Form = Self;

    fn to_plain(&self) -> Self {
        *self
    }

    fn from_plain(form: Self) -> Option<Self> {
        Some(form)
    }
}

impl Plain for Arc<str> {
    type Form = String;

    fn to_plain(&self) -> String {
        (**self).to_owned()
    }

    fn from_plain(form: String) -> Option<Self> {
        Some(form.into())
    }
}

impl<T: Plain> Plain for Option<T> {
    type Form = Option<T::Form>;

    fn to_plain(&self) -> Self::Form {
        self.as_ref().map(T::to_plain)
    }

    fn from_plain(form: Self::Form) -> Option<Self> {
        match form {
            None => Some(None),
            Some(form) => T::from_plain(form).map(Some),
        }
    }
}

impl<T: Plain> Plain for Vec<T> {
    type Form = Vec<T::Form>;

    fn to_plain(&self) -> Self::Form {
        self.iter().map(T::to_plain).collect()
    }

    fn from_plain(form: Self::Form) -> Option<Self> {
        form.into_iter().map(T::from_plain).collect()
    }
}

impl<A: Plain, B: Plain> Plain for (A, B) {
    type Form = (A::Form, B::Form);

    fn to_plain(&self) -> Self::Form {
        (self.0.to_plain(), self.1.to_plain())
    }

    fn from_plain((first, second): Self::Form) -> Option<Self> {
        Some((A::from_plain(first)?, B::from_plain(second)?))
    }
}
