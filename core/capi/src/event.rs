//! Events, as C sees them.

use crate::connect::{PC_ONE_OFF, PC_PORT};
use crate::context::{PC_BACKGROUND, PC_CONTENT_SCRIPT, PC_PAGE, PC_PAGE_IN_TAB};
use crate::event_loop::{Whole, pc_event_loop};
use crate::post::number_of;
use crate::service::pc_document;
use crate::sized::{Sized32, check_size};
use crate::status::{Coded, PC_NONE, PC_OK, pc_status};
use crate::text::pc_string;
use crate::thread_rule::on_all_of_it;
use port_core::{ConnectKind, ContextKind, DocumentLifecycle, Event, EventLoop, Sender};
use std::ptr;
use std::time::Duration;

/// A kind of event: `runtime.onConnect` or a relative, as `connect_kind` and `sender` tell.
pub const PC_CONNECT: u32 = 1;
/// A kind of event: `port.onMessage`.
pub const PC_MESSAGE: u32 = 2;
/// A kind of event: `port.onDisconnect`. The port is closed by now.
pub const PC_DISCONNECT: u32 = 3;
/// A kind of event: a post on this port was refused because its window was full; now there is room again.
pub const PC_ROOM: u32 = 4;
/// A kind of event: a fact ended the context. It is detached, and its ports are closed, with no event of their own.
pub const PC_CONTEXT_ENDED: u32 = 5;

/// For `lifecycle`: the document is shown, or the context has none.
pub const PC_ACTIVE: u32 = 1;
/// For `lifecycle`: the document is in the back/forward cache.
pub const PC_CACHED: u32 = 2;

/// Who opened a port: what the browser said of that context.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct pc_sender {
    /// How many bytes this library knows of; a later one may have more fields.
    pub size: u32,
    /// What kind of context it is: `PC_CONTENT_SCRIPT`, `PC_BACKGROUND`, `PC_PAGE` or `PC_PAGE_IN_TAB`.
    pub kind: u32,
    /// The instance of its extension.
    pub extension: u64,
    /// `sender.id`.
    pub extension_id: pc_string,
    /// `sender.url`.
    pub url: pc_string,
    /// `sender.origin`.
    pub origin: pc_string,
    /// 1 if `tab` and `frame` are there, otherwise 0.
    pub has_tab: u32,
    /// 1 if `document` is there, otherwise 0.
    pub has_document: u32,
    /// `sender.tab.id`.
    pub tab: u64,
    /// `sender.frameId`.
    pub frame: u64,
    /// `sender.documentId`.
    pub document: pc_document,
    /// `sender.contextId`, or 0 if the policy hides it.
    pub context: u64,
    /// `sender.documentLifecycle` at the connect: `PC_ACTIVE`, `PC_CACHED`, or 0 if the policy hides it.
    pub lifecycle: u32,
    /// 0.
    pub reserved: u32,
}

/// A port that ended with its context.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct pc_ended_port {
    /// The end that is closed now.
    pub port: u64,
    /// The number that you set on it; 0 before.
    pub data: u64,
}

/// An event. What it points to lives until the next event is asked of the same event loop, or the loop is freed;
/// `pc_payload_retain()` keeps a payload longer. What a kind of event has no use for is 0 or null.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct pc_event {
    /// `sizeof(pc_event)`; set it before you ask.
    pub size: u32,
    /// What happened: `PC_CONNECT`, `PC_MESSAGE`, `PC_DISCONNECT`, `PC_ROOM` or `PC_CONTEXT_ENDED`. A later version may
    /// have more: ignore what you do not know.
    pub kind: u32,
    /// The context that the event is for.
    pub context: u64,
    /// The port that it is about; 0 for `PC_CONTEXT_ENDED`.
    pub port: u64,
    /// The number that you set on the context.
    pub context_data: u64,
    /// The number that you set on the port.
    pub port_data: u64,
    /// `PC_MESSAGE`: the bytes posted.
    pub payload: *const u8,
    /// `PC_MESSAGE`: how many there are.
    pub payload_length: usize,
    /// `PC_MESSAGE`: how they were made, as for `pc_post()`.
    pub format: u32,
    /// `PC_MESSAGE`: 1 if the sender ran under user activation.
    pub user_activation: u32,
    /// `PC_DISCONNECT` and `PC_CONTEXT_ENDED`: why, `PC_REASON_…`. `pc_status_text()` has a text for it.
    pub reason: pc_status,
    /// `PC_CONNECT`: what the connection is for, `PC_PORT` or `PC_ONE_OFF`.
    pub connect_kind: u32,
    /// `PC_CONNECT`: the name that the opener gave. It may have NULs.
    pub name: pc_string,
    /// `PC_CONNECT`: the opener.
    pub sender: *const pc_sender,
    /// `PC_CONTEXT_ENDED`: the ports that ended with the context, in no order. Among them may be ports whose
    /// `PC_CONNECT` was not handed out, and never will be.
    pub ended_ports: *const pc_ended_port,
    /// `PC_CONTEXT_ENDED`: how many there are.
    pub ended_port_count: usize,
}

// SAFETY: it is `repr(C)`, numbers and pointers.
unsafe impl Sized32 for pc_event {}

/// What an event that was handed out points to.
#[derive(Default)]
pub(crate) struct Shown {
    pub(crate) event: Option<Event>,
    sender: Option<pc_sender>,
    ended: Vec<pc_ended_port>,
}

impl Whole {
    /// Takes an event, and shows it to C.
    ///
    /// # Safety
    ///
    /// `to` is as C is told.
    #[inline]
    unsafe fn show(
        &mut self,
        to: *mut pc_event,
        take: impl FnOnce(&mut EventLoop) -> Option<Event>,
    ) -> pc_status {
        // SAFETY: as above.
        if let Err(status) = unsafe { check_size(to) } {
            return status;
        }
        // What the last event points to goes before the next one comes.
        self.shown.event = None;
        self.shown.event = take(&mut self.event_loop);
        // SAFETY: it has all the fields.
        let size = unsafe { to.cast::<u32>().read_unaligned() };
        let Some(view) = self.shown.view(size) else { return PC_NONE };
        // SAFETY: the same.
        unsafe { to.write_unaligned(view) };
        PC_OK
    }
}

impl Shown {
    #[inline]
    fn view(&mut self, size: u32) -> Option<pc_event> {
        let event = self.event.as_ref()?;
        let mut view = pc_event {
            size,
            kind: 0,
            context: event.context().to_bits(),
            port: 0,
            context_data: 0,
            port_data: 0,
            payload: ptr::null(),
            payload_length: 0,
            format: 0,
            user_activation: 0,
            reason: 0,
            connect_kind: 0,
            name: pc_string { data: ptr::null(), length: 0 },
            sender: ptr::null(),
            ended_ports: ptr::null(),
            ended_port_count: 0,
        };
        match event {
            Event::Message { port, payload, format, user_activation, context_data, port_data, .. } => {
                view.kind = PC_MESSAGE;
                view.port = port.to_bits();
                (view.context_data, view.port_data) = (*context_data, *port_data);
                (view.payload, view.payload_length) = (payload.as_ptr(), payload.len());
                view.format = number_of(*format);
                view.user_activation = u32::from(*user_activation);
            }
            Event::Connect { port, kind, name, sender, context_data, port_data, .. } => {
                view.kind = PC_CONNECT;
                view.port = port.to_bits();
                (view.context_data, view.port_data) = (*context_data, *port_data);
                view.connect_kind = if *kind == ConnectKind::OneOff { PC_ONE_OFF } else { PC_PORT };
                view.name = pc_string::of(name.as_str());
                view.sender = self.sender.insert(pc_sender::of(sender));
            }
            Event::Disconnect { port, reason, context_data, port_data, .. } => {
                view.kind = PC_DISCONNECT;
                view.port = port.to_bits();
                (view.context_data, view.port_data) = (*context_data, *port_data);
                view.reason = reason.status();
            }
            Event::Room { port, context_data, port_data, .. } => {
                view.kind = PC_ROOM;
                view.port = port.to_bits();
                (view.context_data, view.port_data) = (*context_data, *port_data);
            }
            Event::ContextGone { reason, context_data, ports, .. } => {
                view.kind = PC_CONTEXT_ENDED;
                view.context_data = *context_data;
                view.reason = reason.status();
                let ended = |port: &port_core::EndedPort| pc_ended_port {
                    port: port.port.to_bits(),
                    data: port.data,
                };
                self.ended.clear();
                self.ended.extend(ports.iter().map(ended));
                (view.ended_ports, view.ended_port_count) = (self.ended.as_ptr(), self.ended.len());
            }
            // A kind that this interface does not know: C is told to ignore it.
            _ => {}
        }
        Some(view)
    }
}

impl pc_sender {
    fn of(sender: &Sender) -> Self {
        let kind = match (sender.kind(), sender.tab()) {
            (ContextKind::ContentScript, _) => PC_CONTENT_SCRIPT,
            (ContextKind::Background, _) => PC_BACKGROUND,
            (_, None) => PC_PAGE,
            (_, Some(_)) => PC_PAGE_IN_TAB,
        };
        let lifecycle = match sender.lifecycle() {
            None => 0,
            Some(DocumentLifecycle::Cached) => PC_CACHED,
            Some(_) => PC_ACTIVE,
        };
        let (tab, document) = (sender.tab(), sender.document());
        Self {
            #[allow(clippy::cast_possible_truncation, reason = "a hundred or so")]
            size: size_of::<Self>() as u32,
            kind,
            extension: sender.instance().to_bits(),
            extension_id: pc_string::of(sender.extension().as_str()),
            url: pc_string::of(sender.url()),
            origin: pc_string::of(sender.origin()),
            has_tab: tab.is_some().into(),
            has_document: document.is_some().into(),
            tab: tab.map_or(0, Into::into),
            frame: sender.frame().map_or(0, Into::into),
            document: document.map_or(pc_document { high: 0, low: 0 }, Into::into),
            context: sender.context().map_or(0, port_core::ContextId::to_bits),
            lifecycle,
            reserved: 0,
        }
    }
}

/// Takes the next event. After `PC_NONE` the next new thing calls the waker, once: so take events until `PC_NONE`, and
/// then you may sleep. A handler may call anything on this event loop before the next event is taken.
///
/// `PC_NONE` is not cheap: the loop arms itself first, which takes about 16 microseconds. A main loop that expects an answer at once
/// first tries `pc_next_event_unarmed()` for a moment.
///
/// Thread: the event loop's own. May call release functions.
///
/// @param event  its `size` is to be set; after `PC_OK` it shows the event, otherwise it is left as it was
/// @return `PC_OK`; `PC_NONE` when there is nothing now; `PC_NULL`, `PC_WRONG_SIZE`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_next_event(event_loop: *mut pc_event_loop, event: *mut pc_event) -> pc_status {
    // SAFETY: as C is told.
    let next = |whole: &mut Whole| unsafe { whole.show(event, EventLoop::next_event) };
    // SAFETY: as C is told.
    unsafe { on_all_of_it(event_loop, next) }
}

/// Takes the next event like `pc_next_event()`, but arms nothing: after `PC_NONE` no waker is called, so you must ask again by
/// yourself. Meant for a loop that spins for a moment before it sleeps.
///
/// Thread: the event loop's own. May call release functions.
///
/// @return as `pc_next_event()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_next_event_unarmed(
    event_loop: *mut pc_event_loop,
    event: *mut pc_event,
) -> pc_status {
    // SAFETY: as C is told.
    let next = |whole: &mut Whole| unsafe { whole.show(event, EventLoop::next_event_unarmed) };
    // SAFETY: as C is told.
    unsafe { on_all_of_it(event_loop, next) }
}

/// Takes the next event, for a thread that does nothing else: polls for a moment, then blocks until there is one.
///
/// Thread: the event loop's own, which it blocks.
///
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_wait(event_loop: *mut pc_event_loop, event: *mut pc_event) -> pc_status {
    // SAFETY: as C is told.
    let next = |whole: &mut Whole| unsafe { whole.show(event, |event_loop| Some(event_loop.wait())) };
    // SAFETY: as C is told.
    unsafe { on_all_of_it(event_loop, next) }
}

/// Takes the next event like `pc_wait()`, but waits no longer than this.
///
/// Thread: the event loop's own, which it blocks.
///
/// @param milliseconds  how long
/// @return `PC_OK`; `PC_NONE` when none came; `PC_NULL`, `PC_WRONG_SIZE`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_wait_for(
    event_loop: *mut pc_event_loop,
    milliseconds: u64,
    event: *mut pc_event,
) -> pc_status {
    let wait = |event_loop: &mut EventLoop| event_loop.wait_timeout(Duration::from_millis(milliseconds));
    // SAFETY: as C is told.
    let next = |whole: &mut Whole| unsafe { whole.show(event, wait) };
    // SAFETY: as C is told.
    unsafe { on_all_of_it(event_loop, next) }
}
