//! The frames of a page and the documents that they show.

use crate::control::{DocumentNumber, FrameNumber, FromPage};
use crate::extensions::Matched;
use crate::page::Page;
use crate::process::Process;
use crate::values::{number, truth_of};
use crate::webkit::{self, Frame, WeakFrame};
use javascriptcore6::{Context, Value, WeakValue};
use serde::Deserialize;
use std::collections::HashMap;
use std::rc::Rc;
use url::Url;

/// The frames of a page, and its documents as far as they are shown or kept.
#[derive(Default)]
pub(crate) struct Documents {
    latest_frame: FrameNumber,
    latest_document: DocumentNumber,
    /// The numbers of the frames below the top one, by WebKit's, which are too long for scripts.
    frames: HashMap<u64, FrameNumber>,
    shown: HashMap<DocumentNumber, Shown>,
    /// The function `place` of the top document.
    place: Option<WeakValue>,
}

/// A document.
pub(crate) struct Shown {
    pub(crate) frame: FrameNumber,
    /// The frame as WebKit has it.
    pub(crate) handle: WeakFrame,
    /// Whether it went into the back/forward cache.
    is_kept: bool,
    pub(crate) matched: Rc<Matched>,
}

/// How many documents ago one was shown at most that is still known.
const MOST_KEPT: DocumentNumber = 1_000;

/// What `document.js` says of a document.
#[derive(Deserialize)]
struct Described {
    url: String,
    is_opaque: bool,
}

impl Documents {
    pub(crate) fn get(&self, document: DocumentNumber) -> Option<&Shown> {
        self.shown.get(&document)
    }
}

impl Page {
    /// Returns the document that a frame shows now. If it is a new one, the browser is told.
    pub(crate) fn document_in(self: &Rc<Self>, process: &Process, frame: &Frame) -> Option<DocumentNumber> {
        let context = frame.context_in(&process.documents);
        let known = context
            .evaluate("globalThis.portCoreDocument?.document === document ? portCoreDocument.number : 0");
        let known = known.map_or(0, |known| known.to_int32());
        if known > 0 {
            return u32::try_from(known).ok();
        }
        self.new_document(&context, frame)
    }

    fn new_document(self: &Rc<Self>, context: &Context, frame: &Frame) -> Option<DocumentNumber> {
        let (document, place, is_new_frame) = {
            let documents = &mut *self.documents.borrow_mut();
            documents.latest_document += 1;
            let known = if frame.is_top() { Some(0) } else { documents.frames.get(&frame.id()).copied() };
            let place = known.unwrap_or_else(|| {
                documents.latest_frame += 1;
                documents.frames.insert(frame.id(), documents.latest_frame);
                documents.latest_frame
            });
            (documents.latest_document, place, known.is_none())
        };
        if is_new_frame {
            let (page, id) = (Rc::downgrade(self), frame.id());
            frame.on_removed(move || {
                if let Some(page) = page.upgrade() {
                    page.frame_removed(id, place);
                }
            });
        }
        let script = context.evaluate(include_str!("document.js"))?;
        let described =
            script.function_callv(&[self.leaving(context, document), number(context, document)])?;
        let described: Described = serde_json::from_str(&described.to_str()).ok()?;
        let parent = self.place(context, place);
        let url = Url::parse(&described.url).ok()?;
        let has_own_url = !matches!(url.scheme(), "about" | "data" | "blob");
        let maker = match parent {
            Some(parent) if !has_own_url => self.url_shown_in(parent),
            _ => None,
        };
        let told = FromPage::Document {
            frame: place,
            parent,
            document,
            url: described.url,
            maker: maker.as_ref().map(Url::to_string),
            is_sandboxed: described.is_opaque && url.scheme() != "data",
        };
        let matched = Matched { url, maker, is_top: place == 0, is_sandboxed: described.is_opaque };
        let shown =
            Shown { frame: place, handle: frame.downgrade(), is_kept: false, matched: Rc::new(matched) };
        let known = &mut *self.documents.borrow_mut();
        let documents = &mut known.shown;
        // What is kept and forgotten by WebKit says nothing; so only so many are.
        let oldest = documents.keys().max().copied().unwrap_or(0).saturating_sub(MOST_KEPT);
        documents.retain(|number, known| known.frame != place || (known.is_kept && *number > oldest));
        documents.insert(document, shown);
        self.tell(&told);
        Some(document)
    }

    /// The function by which a document says that it is left, or back.
    fn leaving(self: &Rc<Self>, context: &Context, document: DocumentNumber) -> Value {
        let page = Rc::downgrade(self);
        let told = move |_: &Context, arguments: &[Value]| {
            if let Some(page) = page.upgrade() {
                let is_left = arguments.first().map(Value::to_int32) == Some(0);
                let is_kept = is_left && truth_of(arguments, 1);
                if let Some(known) = page.documents.borrow_mut().shown.get_mut(&document) {
                    known.is_kept = is_kept;
                }
                if is_left {
                    // Extensions' scripts hear it after this, and may post.
                    page.tell_at_last(FromPage::Hidden { document, is_kept });
                } else {
                    page.hold(document);
                    page.tell(&FromPage::Shown { document });
                }
            }
            Ok(None)
        };
        webkit::function(context, Box::new(told))
    }

    /// Finds the frame above a frame; `None` for the top one.
    fn place(&self, context: &Context, place: FrameNumber) -> Option<FrameNumber> {
        let window = context.evaluate("window")?;
        let parent = context.evaluate("parent")?;
        if place == 0 {
            let function = context.evaluate("portCoreDocument.place")?;
            self.documents.borrow_mut().place = Some(WeakValue::new(&function));
        }
        let function = self.documents.borrow().place.as_ref().and_then(WeakValue::value);
        let found =
            function.and_then(|function| function.function_callv(&[window, number(context, place), parent]));
        (place != 0).then(|| found.map_or(0, |found| u32::try_from(found.to_int32()).unwrap_or(0)))
    }

    fn url_shown_in(&self, frame: FrameNumber) -> Option<Url> {
        let documents = self.documents.borrow();
        let latest = documents
            .shown
            .iter()
            .filter(|(_, shown)| shown.frame == frame)
            .max_by_key(|(number, _)| **number);
        latest.map(|(_, shown)| shown.matched.maker.clone().unwrap_or_else(|| shown.matched.url.clone()))
    }

    fn frame_removed(&self, id: u64, frame: FrameNumber) {
        let mut documents = self.documents.borrow_mut();
        documents.frames.remove(&id);
        documents.shown.retain(|_, shown| shown.frame != frame);
        drop(documents);
        self.tell(&FromPage::Removed { frame });
    }
}
