//! The service: where the browser reports facts and makes event loops.

use crate::concurrent::wakeup::{Wakeup, waker_of};
use crate::description::ExtensionDescription;
use crate::error::FactError;
use crate::event_loop::EventLoop;
use crate::ids::{DocumentId, EventLoopId, ExtensionInstance, FrameId, TabId, WindowId};
use crate::index::{Frame, Removed};
use crate::limits::Limits;
use crate::policy::{DiscardedTab, Policies};
use crate::reason::DisconnectReason;
use crate::shared::event_loop::Notice;
use crate::shared::service::ServiceInner;
use crate::snapshot::{ExtensionSnapshot, FrameSnapshot, ServiceSnapshot, TabSnapshot};
use crate::sync::Arc;
use std::fmt;
use std::task::Waker;

/// The messaging of one browser (or one browser profile): makes event loops and
/// takes the facts that the browser knows.
///
/// It is a cheap handle: clones are the same service, and every method may be called from
/// any thread. It runs no thread. Two services in one
/// process (one for each profile, say) know nothing of each other. Each refuses the ids that the
/// other gave: no event loop, context, port or extension instance has the same id in both.
///
/// A fact takes effect before the call returns, in this order: what it ends leaves the index,
/// so that no later connect finds it; the contexts among it are marked; every event
/// loop concerned gets a notice and is woken. Peers' ports end with the fact's
/// reason, after the messages already sent, as
/// [`Event::Disconnect`](crate::Event::Disconnect); the event loop that owns an ended
/// context gets [`Event::ContextGone`](crate::Event::ContextGone). Facts are rare next to messages:
/// they take locks, briefly, and allocate.
#[derive(Clone)]
pub struct MessageService {
    inner: Arc<ServiceInner>,
}

impl MessageService {
    /// Returns a builder, for a service that differs from the [default](Self::default).
    ///
    /// ```
    /// use port_core::{Limits, MessageService, Policies};
    ///
    /// let service = MessageService::builder()
    ///     .limits(Limits::default().window_messages(1_000))
    ///     .policies(Policies::FIREFOX)
    ///     .build();
    /// ```
    pub fn builder() -> MessageServiceBuilder {
        MessageServiceBuilder::default()
    }

    pub(crate) fn inner(&self) -> &Arc<ServiceInner> {
        &self.inner
    }

    /// Makes an event loop for one thread that runs script. Allocates.
    ///
    /// `waker` wakes that thread's own main loop. Plain threads that use [`wait`](EventLoop::wait), and tasks
    /// that use [`poll_event`](EventLoop::poll_event), pass [`Waker::noop`].
    ///
    /// # The waker's contract
    ///
    /// - A loop is *armed* when it is made, and whenever [`next_event`](EventLoop::next_event) has returned `None`. The
    ///   first thing that is new for an armed loop disarms it and calls the waker: once, however much comes. So a
    ///   thread may sleep before its first look. Once woken it must take events until `None`, or it may sleep while
    ///   events are left.
    /// - [`next_event_unarmed`](EventLoop::next_event_unarmed) arms nothing: its `None` does not cause a later wake.
    /// - What a loop makes for itself, by a connect or a post to a context of its own, wakes it as another loop's would.
    /// - The waker is called on the thread that made the new thing, before that thread's call returns, and under no
    ///   lock of the core. It may call the core and drop event loops. It must not block. A panic in it is caught.
    /// - It may be called late: after the events it was called for were taken, or after the loop was dropped. A
    ///   wake without an event is no error.
    /// - It is cloned and dropped under no lock of the core either. [`set_waker`](EventLoop::set_waker) replaces it.
    #[must_use]
    pub fn event_loop(&self, waker: Waker) -> EventLoop {
        let shared = self.inner.new_event_loop(Wakeup::new(waker), None);
        EventLoop::new(Arc::clone(&self.inner), shared)
    }

    /// Makes an event loop like [`event_loop`](Self::event_loop), for one whose scripts are trusted less than others': those of a
    /// renderer process, say. All that it has the service hold takes at most `bytes` of
    /// [`Limits::service_bytes`](crate::Limits::service_bytes) and the extensions' own: what lies in the lanes that it sends on, to whichever
    /// event loops and of whichever extensions, and its ports, names and posts that wait. So it cannot use up
    /// what is for all, and with it what other event loops send for the same extensions. Beyond that it has, as
    /// every loop and lane, a little of its own.
    ///
    /// What would pass the limit is refused as where the service's bytes are used up: connects and posts give
    /// `Busy`, and an [`Event::Room`](crate::Event::Room) tells when there is room. What others send to it counts for them. Bytes are drawn in pieces of up to
    /// 96 KiB, so less than that is nothing.
    ///
    /// ```
    /// use port_core::{MessageService, PostErrorKind};
    /// # use port_core::*;
    /// # use std::task::Waker;
    ///
    /// let service = MessageService::default();
    /// let mut renderer = service.limited_event_loop(Waker::noop().clone(), 1 << 20);
    /// # let extension = service.extension_loaded(ExtensionId::new("greeter@example"))?;
    /// # let mut browser = service.event_loop(Waker::noop().clone());
    /// # let background = browser.attach(ContextDescription::background(extension))?;
    /// # browser.set_listening(background, Listening::PORTS)?;
    /// # let page = renderer.attach(ContextDescription::page(extension))?;
    /// let port = renderer.connect_runtime(page, &RuntimeTarget::own())?;
    /// let mut posts = std::iter::repeat_with(|| renderer.post_message(port, vec![0; 100_000]));
    /// let refused = posts.by_ref().take(100).find_map(Result::err).expect("10 MB are too many");
    /// assert_eq!(refused.kind(), PostErrorKind::Busy);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn limited_event_loop(&self, waker: Waker, bytes: u64) -> EventLoop {
        let shared = self.inner.new_event_loop(Wakeup::new(waker), Some(bytes));
        EventLoop::new(Arc::clone(&self.inner), shared)
    }

    /// Makes an event loop that calls a closure to wake its thread. The closure keeps the waker's
    /// [contract](Self::event_loop).
    ///
    /// ```
    /// use port_core::MessageService;
    /// use std::sync::mpsc;
    ///
    /// // A main loop that other threads send its tasks to.
    /// let (proxy, tasks) = mpsc::channel();
    /// let service = MessageService::default();
    /// let event_loop = service.event_loop_with(move || {
    ///     let _ = proxy.send("take the core's events");
    /// });
    /// # let _ = (event_loop, tasks);
    /// ```
    #[must_use]
    pub fn event_loop_with(&self, wake: impl Fn() + Send + Sync + 'static) -> EventLoop {
        self.event_loop(waker_of(wake))
    }

    /// Reports that a tab was opened, with no frames yet.
    ///
    /// # Errors
    ///
    /// [`TabExists`](FactError::TabExists).
    pub fn tab_opened(&self, tab: TabId, window: WindowId) -> Result<(), FactError> {
        self.inner.index.open_tab(tab, window)
    }

    /// Reports that a tab was moved to a window. Ports live on, as measured in Firefox (bug 1448674).
    ///
    /// # Errors
    ///
    /// [`UnknownTab`](FactError::UnknownTab).
    pub fn tab_moved(&self, tab: TabId, window: WindowId) -> Result<(), FactError> {
        self.inner.index.change_tab(tab, |tab| {
            tab.move_to(window);
            Ok(())
        })
    }

    /// Reports that a tab was closed: everything in it ends, and its id may be used again.
    ///
    /// # Errors
    ///
    /// [`UnknownTab`](FactError::UnknownTab).
    pub fn tab_closed(&self, tab: TabId) -> Result<(), FactError> {
        let removed = self.inner.index.close_tab(tab)?;
        self.inner.end(&removed, DisconnectReason::TabClosed);
        Ok(())
    }

    /// Reports that a tab was discarded to save memory: everything in it ends, and the tab stays
    /// open without frames. Under [`DiscardedTab::TakesNewId`] its id is `next` from now
    /// on, and its old id may be used again; otherwise `next` is ignored. Returns the id that
    /// the tab has now.
    ///
    /// # Errors
    ///
    /// [`UnknownTab`](FactError::UnknownTab); [`TabExists`](FactError::TabExists) when `next` is needed
    /// and names an open tab.
    pub fn tab_discarded(&self, tab: TabId, next: TabId) -> Result<TabId, FactError> {
        let reason = DisconnectReason::TabDiscarded;
        match self.inner.policies.discarded_tab {
            DiscardedTab::KeepsId => self.empty_tab(tab, reason).map(|()| tab),
            DiscardedTab::TakesNewId => {
                let removed = self.inner.index.replace_tab(tab, next)?;
                self.inner.end(&removed, reason);
                Ok(next)
            }
        }
    }

    /// Reports that a tab crashed: everything in it ends, and the tab stays open without frames.
    ///
    /// # Errors
    ///
    /// [`UnknownTab`](FactError::UnknownTab).
    pub fn tab_crashed(&self, tab: TabId) -> Result<(), FactError> {
        self.empty_tab(tab, DisconnectReason::TabCrashed)
    }

    fn empty_tab(&self, tab: TabId, reason: DisconnectReason) -> Result<(), FactError> {
        let removed = self.inner.index.change_tab(tab, |tab| Ok(tab.clear()))?;
        self.inner.end(&removed, reason);
        Ok(())
    }

    /// Reports that a frame was added to a tab and shows `document`. Frames are kept in the order of
    /// these calls, which is the order in which a fan-out visits them.
    ///
    /// # Errors
    ///
    /// [`UnknownTab`](FactError::UnknownTab), [`UnknownFrame`](FactError::UnknownFrame)
    /// for the parent, [`FrameExists`](FactError::FrameExists),
    /// [`DocumentExists`](FactError::DocumentExists).
    pub fn frame_attached(
        &self,
        tab: TabId,
        frame: FrameId,
        parent: Option<FrameId>,
        document: DocumentId,
    ) -> Result<(), FactError> {
        self.inner
            .index
            .show_document(tab, document, |tab| {
                tab.attach_frame(frame, parent, document)?;
                Ok(Removed::default())
            })
            .map(drop)
    }

    /// Reports that a frame went to another document. The contexts of the old one end, unless it
    /// went into the cache before, and so do the frames below it. Do not report a navigation within
    /// the document (`pushState`, a fragment).
    ///
    /// # Errors
    ///
    /// [`UnknownTab`](FactError::UnknownTab), [`UnknownFrame`](FactError::UnknownFrame),
    /// [`DocumentExists`](FactError::DocumentExists).
    pub fn frame_navigated(&self, tab: TabId, frame: FrameId, document: DocumentId) -> Result<(), FactError> {
        let removed = self.inner.index.show_document(tab, document, |tab| tab.navigate(frame, document))?;
        self.inner.end(&removed, DisconnectReason::Navigated);
        Ok(())
    }

    /// Reports that a frame was removed from its page, with those below it.
    ///
    /// # Errors
    ///
    /// [`UnknownTab`](FactError::UnknownTab), [`UnknownFrame`](FactError::UnknownFrame).
    pub fn frame_removed(&self, tab: TabId, frame: FrameId) -> Result<(), FactError> {
        let removed = self.inner.index.change_tab(tab, |tab| tab.remove_frame(frame))?;
        self.inner.end(&removed, DisconnectReason::FrameRemoved);
        Ok(())
    }

    /// Reports that a document, with the frames below its own, went into the back/forward cache.
    /// [`Policies::back_forward_cache`] decides what happens to its ports; nobody can connect to
    /// it while it is there. Its frame stays and waits for
    /// [`frame_navigated`](Self::frame_navigated) or [`document_restored`](Self::document_restored).
    ///
    /// # Errors
    ///
    /// [`UnknownDocument`](FactError::UnknownDocument) when no frame shows it.
    pub fn document_cached(&self, document: DocumentId) -> Result<(), FactError> {
        let tab = self.inner.index.tab_of(document)?;
        let (owners, ()) =
            self.inner.move_page(tab, Notice::Suspend, |tab| Ok((tab.cache(document)?, ())))?;
        owners.iter().for_each(|owner| owner.nudge());
        Ok(())
    }

    /// Reports that a cached document is shown again, with the frames below its own. What its
    /// frame showed in the meantime ends, unless it was cached too.
    ///
    /// # Errors
    ///
    /// [`UnknownDocument`](FactError::UnknownDocument) when it is not in the cache,
    /// [`UnknownFrame`](FactError::UnknownFrame) when its frame was removed.
    pub fn document_restored(&self, document: DocumentId) -> Result<(), FactError> {
        let tab = self.inner.index.tab_of(document)?;
        let (owners, removed) = self.inner.move_page(tab, Notice::Resume, |tab| tab.restore(document))?;
        self.inner.end(&removed, DisconnectReason::Navigated);
        owners.iter().for_each(|owner| owner.nudge());
        Ok(())
    }

    /// Reports that a cached document was thrown out of the cache: it ends, with the frames below its own.
    ///
    /// # Errors
    ///
    /// [`UnknownDocument`](FactError::UnknownDocument) when it is not in the cache.
    pub fn document_evicted(&self, document: DocumentId) -> Result<(), FactError> {
        let tab = self.inner.index.tab_of(document)?;
        let removed = self.inner.index.change_tab(tab, |tab| tab.evict(document))?;
        self.inner.end(&removed, DisconnectReason::Navigated);
        Ok(())
    }

    /// Reports that an extension was loaded, and returns the instance. Every load is another instance.
    ///
    /// # Errors
    ///
    /// [`ExtensionExists`](FactError::ExtensionExists) while another instance is loaded.
    pub fn extension_loaded(
        &self,
        extension: impl Into<ExtensionDescription>,
    ) -> Result<ExtensionInstance, FactError> {
        let instance = self.inner.new_instance();
        self.inner.index.load(extension.into(), instance)?;
        Ok(instance)
    }

    /// Reports that an extension was unloaded, disabled or replaced by an update: all its contexts end.
    ///
    /// # Errors
    ///
    /// [`UnknownExtension`](FactError::UnknownExtension).
    pub fn extension_unloaded(&self, instance: ExtensionInstance) -> Result<(), FactError> {
        let (removed, waiting) = self.inner.index.unload(instance)?;
        self.inner.end(&removed, DisconnectReason::ExtensionUnloaded);
        self.inner.give_up_waiting(instance, waiting, DisconnectReason::ExtensionUnloaded);
        Ok(())
    }

    /// Reports that the thread of an event loop died or hangs: all its contexts end for everyone
    /// else. If the thread runs on after all, its calls are refused;
    /// [`EventLoop::is_gone`] shows how it starts over.
    ///
    /// What other threads kept for it is freed before this returns: its place in the index and what waited for it to
    /// be told, with the lanes that it never took. The peers let go of their ends of its lanes when they take
    /// their next event. What lies in lanes that its thread knows, and may be reading, stays until its
    /// [`EventLoop`] is dropped, and so do its own ports and contexts: leaking a hung thread's `EventLoop` leaks that much.
    ///
    /// # Errors
    ///
    /// [`UnknownEventLoop`](FactError::UnknownEventLoop).
    pub fn event_loop_gone(&self, event_loop: EventLoopId) -> Result<(), FactError> {
        self.lose(event_loop, DisconnectReason::EventLoopGone)
    }

    /// Reports that the process whose scripts an event loop stands for crashed, or was killed. As
    /// [`event_loop_gone`](Self::event_loop_gone), but the others hear
    /// [`ProcessCrashed`](DisconnectReason::ProcessCrashed). Meant for an event loop that lives in the browser's
    /// process for another. A tab whose frames lie in several processes need not be
    /// [emptied](Self::tab_crashed) because one of these crashed.
    ///
    /// # Errors
    ///
    /// [`UnknownEventLoop`](FactError::UnknownEventLoop).
    ///
    /// ```
    #[doc = include_str!("event_loop/examples/set_up.md")]
    /// let renderer = service.event_loop(Waker::noop().clone());
    /// service.event_loop_crashed(renderer.id())?;
    /// assert!(renderer.is_gone());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn event_loop_crashed(&self, event_loop: EventLoopId) -> Result<(), FactError> {
        self.lose(event_loop, DisconnectReason::ProcessCrashed)
    }

    fn lose(&self, event_loop: EventLoopId, reason: DisconnectReason) -> Result<(), FactError> {
        let shared = self.inner.event_loop(event_loop).ok_or(FactError::UnknownEventLoop)?;
        self.inner.retire(&shared, reason, |context| context.kill(reason));
        Ok(())
    }

    /// Returns what the index knows: tabs, frames, extensions, contexts, and which event
    /// loops have lanes to each other. Ports are known to their event loops alone;
    /// [`EventLoop::snapshot`](crate::EventLoop::snapshot) shows them.
    /// May be called from any thread. Takes the locks of the index one after the other, so the parts
    /// may be of different moments. Allocates.
    #[must_use]
    pub fn snapshot(&self) -> ServiceSnapshot {
        let frame = |frame: &Frame| FrameSnapshot {
            frame: frame.id(),
            parent: frame.parent(),
            document: frame.document(),
            contexts: frame.contexts().iter().map(|context| context.id()).collect(),
        };
        let mut tabs = Vec::new();
        self.inner.index.for_each_tab(|&id, tab| {
            tabs.push(TabSnapshot {
                tab: id,
                window: tab.window(),
                frames: tab.frames().iter().map(frame).collect(),
                cached: tab.cached().map(frame).collect(),
            });
        });
        tabs.sort_by_key(|tab| tab.tab);
        let mut extensions = Vec::new();
        self.inner.index.for_each_extension(|&instance, extension| {
            extensions.push(ExtensionSnapshot {
                extension: extension.id().clone(),
                instance,
                own: extension.own().map(|context| context.id()).collect(),
                content_scripts: extension.content_scripts(),
                background: extension.background_state(),
            });
        });
        extensions.sort_by_key(|extension| extension.instance);
        let event_loops = self
            .inner
            .event_loops()
            .iter()
            .map(|event_loop| {
                let mut peers: Vec<_> = event_loop.peers().iter().map(|peer| peer.id()).collect();
                peers.sort();
                (event_loop.id(), peers)
            })
            .collect();
        ServiceSnapshot { tabs, extensions, event_loops, bytes: self.inner.pool.drawn() }
    }
}

impl Default for MessageService {
    /// Makes a service with the default [`Limits`] and [`Policies`].
    fn default() -> Self {
        Self::builder().build()
    }
}

/// A service that is about to be made. See [`MessageService::builder`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct MessageServiceBuilder {
    limits: Limits,
    policies: Policies,
    asymmetric_fences: bool,
}

impl Default for MessageServiceBuilder {
    fn default() -> Self {
        Self { limits: Limits::default(), policies: Policies::default(), asymmetric_fences: true }
    }
}

impl MessageServiceBuilder {
    /// Sets the bounds on what the service holds.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how the service behaves where browsers differ.
    pub const fn policies(mut self, policies: Policies) -> Self {
        self.policies = policies;
        self
    }

    /// Sets whether event loops may have the system pass fences for those who post to them; by default they may.
    ///
    /// On Linux they then call `membarrier`: to register when a loop is made, and whenever one falls asleep with
    /// lanes to watch. A system that refuses the call is no matter, but a sandbox that kills who makes it is. With
    /// `false` the call is never made, and every post passes a fence of its own instead.
    ///
    /// ```
    /// use port_core::MessageService;
    ///
    /// let within_a_strict_sandbox = MessageService::builder().asymmetric_fences(false).build();
    /// ```
    pub const fn asymmetric_fences(mut self, allowed: bool) -> Self {
        self.asymmetric_fences = allowed;
        self
    }

    /// Makes the service.
    #[must_use]
    pub fn build(self) -> MessageService {
        MessageService {
            inner: Arc::new(ServiceInner::new(self.limits, self.policies, self.asymmetric_fences)),
        }
    }
}

impl fmt::Debug for MessageService {
    /// Writes how many tabs, extensions and event loops there are; [`snapshot`](Self::snapshot) lists them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tabs, extensions) = self.inner.index.counts();
        f.debug_struct("MessageService")
            .field("tabs", &tabs)
            .field("extensions", &extensions)
            .field("event_loops", &self.inner.event_loop_count())
            .finish()
    }
}
