//! Events, as C sees them.

use crate::connect::{PC_ONE_OFF, PC_PORT};
use crate::context::{PC_BACKGROUND, PC_CONTENT_SCRIPT, PC_PAGE, PC_PAGE_IN_TAB, PC_WEB_PAGE};
use crate::event_loop::{Whole, pc_event_loop};
use crate::post::number_of;
use crate::service::pc_document;
use crate::sized::{Sized32, check_size};
use crate::status::{Coded, PC_NONE, PC_OK, pc_status};
use crate::text::pc_string;
use crate::thread_rule::on_all_of_it;
use port_core::{ConnectKind, ContextKind, DocumentLifecycle, Event, EventLoop, PortId, Sender};
use std::ptr;
use std::time::Duration;

/// A kind of event: `runtime.onConnect` or a relative, as `connect_kind` and `pc_opener()` tell.
pub const PC_CONNECT: u32 = 1;
/// A kind of event: `port.onMessage`.
pub const PC_MESSAGE: u32 = 2;
/// A kind of event: `port.onDisconnect`. The port is closed by now.
pub const PC_DISCONNECT: u32 = 3;
/// A kind of event: a post on this port was refused because its window was full (`PC_POST_WINDOW_FULL`) or a lane was
/// (`PC_POST_BUSY`); now there is room again.
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
    /// `sizeof(pc_sender)`; set it before you ask.
    pub size: u32,
    /// What kind of context it is: `PC_CONTENT_SCRIPT`, `PC_BACKGROUND`, `PC_PAGE` or `PC_PAGE_IN_TAB`.
    pub kind: u32,
    /// The instance of its extension; 0 for a `PC_WEB_PAGE`.
    pub extension: u64,
    /// `sender.id`; empty for a `PC_WEB_PAGE`.
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

// SAFETY: it is `repr(C)`, numbers and pointers.
unsafe impl Sized32 for pc_sender {}

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
    /// `PC_DISCONNECT`: 1 if the reason is `PC_REASON_NO_RECEIVER` and a context was there that has no listener for the connection.
    /// For a developer's log: browsers show scripts the same in both cases.
    pub not_listening: u32,
    /// `PC_CONNECT`: 1 if the context asks (`PC_ASKS`): `pc_accept()` or `pc_refuse()` the connection, now or later. What the opener
    /// posts meanwhile is handed out as it comes.
    pub undecided: u32,
    /// `PC_CONNECT`: the name that the opener gave. It may have NULs.
    pub name: pc_string,
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
    ended: Vec<pc_ended_port>,
}

/// An event that shows nothing.
const NOTHING: pc_event = pc_event {
    size: 0,
    kind: 0,
    context: 0,
    port: 0,
    context_data: 0,
    port_data: 0,
    payload: ptr::null(),
    payload_length: 0,
    format: 0,
    user_activation: 0,
    reason: 0,
    connect_kind: 0,
    not_listening: 0,
    undecided: 0,
    name: pc_string { data: ptr::null(), length: 0 },
    ended_ports: ptr::null(),
    ended_port_count: 0,
};

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
        take: impl FnOnce(&mut EventLoop, &mut Option<Event>) -> bool,
    ) -> pc_status {
        // SAFETY: as above.
        if let Err(status) = unsafe { check_size(to) } {
            return status;
        }
        // What the last event points to goes before the next one comes.
        if !take(&mut self.event_loop, &mut self.shown.event) {
            return PC_NONE;
        }
        // SAFETY: it has all the fields.
        self.shown.show(unsafe { &mut *to });
        PC_OK
    }
}

impl Shown {
    /// Shows the event, a message by the straight way. Each way writes all fields in one go.
    #[inline(always)]
    fn show(&mut self, to: &mut pc_event) {
        let Some(Event::Message {
            context,
            port,
            payload,
            format,
            user_activation,
            context_data,
            port_data,
            ..
        }) = &self.event
        else {
            return self.show_no_message(to);
        };
        *to = pc_event {
            size: to.size,
            kind: PC_MESSAGE,
            context: context.to_bits(),
            port: port.to_bits(),
            context_data: *context_data,
            port_data: *port_data,
            payload: payload.as_ptr(),
            payload_length: payload.len(),
            format: number_of(*format),
            user_activation: u32::from(*user_activation),
            ..NOTHING
        };
    }

    /// Shows an event that is no message.
    #[inline(never)]
    fn show_no_message(&mut self, to: &mut pc_event) {
        let Some(Event::Disconnect { context, port, reason, not_listening, context_data, port_data, .. }) =
            &self.event
        else {
            return self.show_another(to);
        };
        *to = pc_event {
            size: to.size,
            kind: PC_DISCONNECT,
            context: context.to_bits(),
            port: port.to_bits(),
            context_data: *context_data,
            port_data: *port_data,
            reason: reason.status(),
            not_listening: u32::from(*not_listening),
            ..NOTHING
        };
    }

    /// Shows an event that is neither a message nor an end.
    #[inline(never)]
    fn show_another(&mut self, to: &mut pc_event) {
        let Some(event) = &self.event else { return };
        let shown = pc_event {
            size: to.size,
            context: event.context().to_bits(),
            port: event.port().map_or(0, PortId::to_bits),
            ..NOTHING
        };
        *to = match event {
            Event::Connect { kind, name, undecided, context_data, port_data, .. } => pc_event {
                kind: PC_CONNECT,
                undecided: u32::from(*undecided),
                connect_kind: if *kind == ConnectKind::OneOff { PC_ONE_OFF } else { PC_PORT },
                name: pc_string::of(name.as_str()),
                context_data: *context_data,
                port_data: *port_data,
                ..shown
            },
            Event::Room { context_data, port_data, .. } => {
                pc_event { kind: PC_ROOM, context_data: *context_data, port_data: *port_data, ..shown }
            }
            Event::ContextGone { reason, context_data, ports, .. } => {
                self.ended.clear();
                self.ended.extend(
                    ports.iter().map(|port| pc_ended_port { port: port.port.to_bits(), data: port.data }),
                );
                pc_event {
                    kind: PC_CONTEXT_ENDED,
                    reason: reason.status(),
                    context_data: *context_data,
                    ended_ports: self.ended.as_ptr(),
                    ended_port_count: self.ended.len(),
                    ..shown
                }
            }
            // A kind that this interface does not know: C is told to ignore it.
            _ => shown,
        };
    }
}

impl pc_sender {
    fn of(sender: &Sender, size: u32) -> Self {
        let kind = match (sender.kind(), sender.tab()) {
            (ContextKind::ContentScript, _) => PC_CONTENT_SCRIPT,
            (ContextKind::Background, _) => PC_BACKGROUND,
            (ContextKind::WebPage, _) => PC_WEB_PAGE,
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
            size,
            kind,
            extension: sender.instance().map_or(0, port_core::ExtensionInstance::to_bits),
            extension_id: pc_string::of(sender.extension().map_or("", port_core::ExtensionId::as_str)),
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

/// Tells who opened the port of the `PC_CONNECT` that the event loop handed out last. The texts live as long as the event.
///
/// Thread: the event loop's own.
///
/// @param sender  its `size` is to be set
/// @return `PC_OK`; `PC_NONE` when the last event was no connect; `PC_NULL`, `PC_WRONG_SIZE`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_opener(event_loop: *mut pc_event_loop, sender: *mut pc_sender) -> pc_status {
    let tell = |whole: &mut Whole| {
        // SAFETY: as C is told.
        if let Err(status) = unsafe { check_size(sender) } {
            return status;
        }
        let Some(Event::Connect { sender: opener, .. }) = &whole.shown.event else { return PC_NONE };
        // SAFETY: it has all the fields.
        let to = unsafe { &mut *sender };
        *to = pc_sender::of(opener, to.size);
        PC_OK
    };
    // SAFETY: as C is told.
    unsafe { on_all_of_it(event_loop, tell) }
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
    let next = |whole: &mut Whole| unsafe {
        whole.show(event, |event_loop, next| event_loop.next_event_into(next, true))
    };
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
    let next = |whole: &mut Whole| unsafe {
        whole.show(event, |event_loop, next| event_loop.next_event_into(next, false))
    };
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
    let wait = |event_loop: &mut EventLoop, next: &mut Option<Event>| {
        *next = Some(event_loop.wait());
        true
    };
    // SAFETY: as C is told.
    let next = |whole: &mut Whole| unsafe { whole.show(event, wait) };
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
    let wait = |event_loop: &mut EventLoop, next: &mut Option<Event>| {
        *next = event_loop.wait_timeout(Duration::from_millis(milliseconds));
        next.is_some()
    };
    // SAFETY: as C is told.
    let next = |whole: &mut Whole| unsafe { whole.show(event, wait) };
    // SAFETY: as C is told.
    unsafe { on_all_of_it(event_loop, next) }
}
