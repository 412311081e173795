//! A browser small enough to read: one extension, tabs that open on demand, and contexts that listen.
//!
//! The tests of the core, its models and its benchmarks include this folder by path, each into a crate
//! that knows the core as `port_core`. It is the one place where they build what the public surface asks
//! for, and takes nothing but `std` and the core.

mod describe;
mod hear;
mod wakes;

pub use describe::*;
pub use hear::*;
pub use wakes::*;

use port_core::{
    ContextId, DocumentId, EventLoop, ExtensionId, ExtensionInstance, FrameId, Limits, MessageService, Place,
    Policies, PortId, TabId, TabTarget, WindowId,
};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Waker;

/// A browser with one extension loaded. Gives out fresh tabs, frames and documents.
#[derive(Debug)]
pub struct Browser {
    pub service: MessageService,
    pub extension: ExtensionInstance,
    next_id: AtomicU64,
}

/// The window that every tab is in.
pub const WINDOW: WindowId = WindowId::new(1);

/// A background on one event loop and a content script in a tab of another's, both listening.
#[derive(Debug)]
pub struct Apart {
    pub here: EventLoop,
    pub opener: ContextId,
    pub there: EventLoop,
    pub script: ContextId,
    pub place: Place,
}

impl Default for Browser {
    fn default() -> Self {
        Self::with(Limits::default(), Policies::default())
    }
}

impl Browser {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn with_limits(limits: Limits) -> Self {
        Self::with(limits, Policies::default())
    }

    pub fn with_policies(policies: Policies) -> Self {
        Self::with(Limits::default(), policies)
    }

    pub fn with(limits: Limits, policies: Policies) -> Self {
        Self::of(service(limits, policies))
    }

    /// Makes the browser around a service.
    pub fn of(service: MessageService) -> Self {
        let extension = service.extension_loaded(ExtensionId::new("greeter@example")).unwrap();
        Self { service, extension, next_id: AtomicU64::new(1) }
    }

    /// Loads another extension.
    pub fn load(&self, extension: &str) -> ExtensionInstance {
        self.service.extension_loaded(ExtensionId::new(extension)).unwrap()
    }

    pub fn fresh(&self) -> u64 {
        self.next_id.fetch_add(1, Relaxed)
    }

    pub fn fresh_document(&self) -> DocumentId {
        DocumentId::new(u128::from(self.fresh()))
    }

    /// Makes an event loop for a thread that looks by itself.
    pub fn event_loop(&self) -> EventLoop {
        self.service.event_loop(Waker::noop().clone())
    }

    /// Opens a tab; gives its top frame.
    pub fn tab(&self) -> Place {
        self.tab_with_id(TabId::new(self.fresh()))
    }

    pub fn tab_with_id(&self, tab: TabId) -> Place {
        self.tab_at(place(tab, FrameId::TOP, self.fresh_document()))
    }

    /// Opens a tab with a given document in its top frame.
    pub fn tab_at(&self, place: Place) -> Place {
        self.service.tab_opened(place.tab, WINDOW).unwrap();
        self.service.frame_attached(place.tab, place.frame, None, place.document).unwrap();
        place
    }

    /// Puts a frame into another.
    pub fn frame_in(&self, parent: Place) -> Place {
        let frame = FrameId::new(self.fresh());
        self.frame_at(place(parent.tab, frame, self.fresh_document()), parent.frame)
    }

    /// Puts a frame with a given document into another.
    pub fn frame_at(&self, place: Place, parent: FrameId) -> Place {
        self.service.frame_attached(place.tab, place.frame, Some(parent), place.document).unwrap();
        place
    }

    /// Sends a frame to another document.
    pub fn navigate(&self, place: Place) -> Place {
        let document = self.fresh_document();
        self.service.frame_navigated(place.tab, place.frame, document).unwrap();
        with_document(place, document)
    }

    /// Attaches the extension's background, listening.
    pub fn background(&self, event_loop: &mut EventLoop) -> ContextId {
        background_of(self.extension, event_loop)
    }

    /// Attaches the extension's content script in a document, listening.
    pub fn content_script(&self, event_loop: &mut EventLoop, place: Place) -> ContextId {
        content_script_of(self.extension, event_loop, place)
    }

    /// Attaches a page of the extension's outside of any tab, listening.
    pub fn page(&self, event_loop: &mut EventLoop) -> ContextId {
        listen(event_loop, describe_page(self.extension))
    }

    /// Attaches a page of the extension's that a tab shows, listening.
    pub fn page_in_tab(&self, event_loop: &mut EventLoop, place: Place) -> ContextId {
        listen(event_loop, describe_page_in_tab(self.extension, place))
    }

    /// Makes an event loop with the background on it.
    pub fn background_loop(&self) -> (EventLoop, ContextId) {
        let mut event_loop = self.event_loop();
        let context = self.background(&mut event_loop);
        (event_loop, context)
    }

    /// Makes an event loop with a document's content script on it.
    pub fn content_script_loop(&self, place: Place) -> (EventLoop, ContextId) {
        let mut event_loop = self.event_loop();
        let context = self.content_script(&mut event_loop, place);
        (event_loop, context)
    }

    /// Has the extension in two places that lie apart: a background, and a tab that opens for this.
    pub fn apart(&self) -> Apart {
        self.apart_in(self.tab())
    }

    /// Has the extension in two places that lie apart: a background, and a tab that is open.
    pub fn apart_in(&self, place: Place) -> Apart {
        let (here, opener) = self.background_loop();
        let (there, script) = self.content_script_loop(place);
        Apart { here, opener, there, script, place }
    }

    /// Connects `opener` to the one receiver that there is in `tab`, which lives on
    /// `there`; gives both ends, with nothing left to hear.
    pub fn open_port(
        &self,
        here: &mut EventLoop,
        opener: ContextId,
        there: &mut EventLoop,
        tab: TabId,
    ) -> (PortId, PortId) {
        let port = here.connect_tab(opener, &TabTarget::new(tab)).unwrap();
        let receivers = connected(there);
        assert_eq!(receivers.len(), 1, "one receiver in {tab:?}");
        assert_eq!(hear(here), []);
        (port, receivers[0])
    }
}

/// Attaches an extension's background, listening.
pub fn background_of(extension: ExtensionInstance, event_loop: &mut EventLoop) -> ContextId {
    listen(event_loop, describe_background(extension))
}

/// Attaches an extension's content script in a document, listening.
pub fn content_script_of(
    extension: ExtensionInstance,
    event_loop: &mut EventLoop,
    place: Place,
) -> ContextId {
    listen(event_loop, describe_content_script(extension, place))
}
