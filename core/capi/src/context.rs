//! Contexts: attached, listening, detached, and the numbers that the embedder keeps with them.

use crate::event_loop::pc_event_loop;
use crate::service::pc_document;
use crate::sized::{Sized32, read};
use crate::status::{Coded, PC_NONE, PC_NULL, PC_OK, PC_UNKNOWN_VALUE, pc_status, status_of};
use crate::text::pc_string;
use crate::thread_rule::{give, on_event_loop};
use port_core::{
    ContextDescription, ContextId, EventLoop, ExtensionInstance, FrameId, Listening, Place, PortId, TabId,
};

/// A kind of context: an extension's content scripts in a document of a tab.
pub const PC_CONTENT_SCRIPT: u32 = 1;
/// A kind of context: the extension's background page, event page or service worker.
pub const PC_BACKGROUND: u32 = 2;
/// A kind of context: another page of the extension, outside any tab, such as a popup.
pub const PC_PAGE: u32 = 3;
/// A kind of context: a page of the extension that is shown in a tab.
pub const PC_PAGE_IN_TAB: u32 = 4;
/// A kind of context: the scripts of a page of the web, which belongs to no extension. It may connect to the extensions that
/// admit it, by `pc_connect_runtime()` with an id, and do nothing else.
pub const PC_WEB_PAGE: u32 = 5;

/// Describes a context to `pc_attach()`. What is said here is what receivers see as `sender`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct pc_context_description {
    /// `sizeof(pc_context_description)`.
    pub size: u32,
    /// What it is: `PC_CONTENT_SCRIPT`, `PC_BACKGROUND`, `PC_PAGE`, `PC_PAGE_IN_TAB` or `PC_WEB_PAGE`.
    pub kind: u32,
    /// The instance of the extension, from `pc_extension_loaded()`; ignored for `PC_WEB_PAGE`.
    pub extension: u64,
    /// The tab, for `PC_CONTENT_SCRIPT`, `PC_PAGE_IN_TAB` and `PC_WEB_PAGE`; otherwise ignored.
    pub tab: u64,
    /// The frame in that tab, for the same kinds.
    pub frame: u64,
    /// The document: for these kinds the one that the frame shows. For the others what `sender.documentId`
    /// is, if `has_document` is 1.
    pub document: pc_document,
    /// Whether a `PC_BACKGROUND` or `PC_PAGE` has a document; ignored for the other kinds, which always have one.
    pub has_document: u32,
    /// 0.
    pub reserved: u32,
    /// Its URL, for `sender.url`.
    pub url: pc_string,
    /// Its origin, for `sender.origin`.
    pub origin: pc_string,
    /// The ids of the extensions that admit a `PC_WEB_PAGE` (their manifests' `externally_connectable.matches`); ignored for the
    /// other kinds. May be null if there is none.
    pub admitted_by: *const pc_string,
    /// How many there are.
    pub admitted_by_count: usize,
}

// SAFETY: it is `repr(C)`, numbers and pointers.
unsafe impl Sized32 for pc_context_description {}

impl pc_context_description {
    /// Builds the core's description.
    ///
    /// # Safety
    ///
    /// The texts are what they say.
    unsafe fn describe(&self) -> Result<ContextDescription, pc_status> {
        let extension = ExtensionInstance::from_bits(self.extension);
        let place = Place::new(TabId::new(self.tab), FrameId::new(self.frame), self.document.into());
        let mut described = match self.kind {
            PC_CONTENT_SCRIPT => ContextDescription::content_script(extension, place),
            PC_BACKGROUND => ContextDescription::background(extension),
            PC_PAGE => ContextDescription::page(extension),
            PC_PAGE_IN_TAB => ContextDescription::page_in_tab(extension, place),
            // SAFETY: as above.
            PC_WEB_PAGE => ContextDescription::web_page(place, unsafe {
                crate::service::ids(self.admitted_by, self.admitted_by_count)
            }?),
            _ => return Err(PC_UNKNOWN_VALUE),
        };
        if self.has_document != 0 && matches!(self.kind, PC_BACKGROUND | PC_PAGE) {
            described = described.in_document(self.document.into());
        }
        // SAFETY: as above.
        let url = unsafe { self.url.read_name() }?;
        // SAFETY: as above.
        let origin = unsafe { self.origin.read_name() }?;
        Ok(described.url(url).origin(origin))
    }
}

/// Attaches a context to an event loop. From now on connects find it, but it refuses them until it is listening.
///
/// Thread: the event loop's own.
///
/// @param[out] context  its id
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`, `PC_UNKNOWN_VALUE`, `PC_NOT_UTF8`, `PC_LONE_SURROGATE`, `PC_CONTAINS_NUL`,
/// `PC_ATTACH_…`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_attach(
    event_loop: *mut pc_event_loop,
    description: *const pc_context_description,
    context: *mut u64,
) -> pc_status {
    let attach = |event_loop: &mut EventLoop| {
        // SAFETY: as C is told.
        let described = unsafe { read(description) }?;
        // SAFETY: as C is told.
        let described = unsafe { described.describe() }?;
        event_loop.attach(described).map(ContextId::to_bits).map_err(Coded::status)
    };
    // SAFETY: as C is told.
    unsafe { give(event_loop, context, attach) }
}

/// Detaches a context: its ports end, and the other sides hear `PC_REASON_CONTEXT_DETACHED` after what was posted
/// before. No event for it is handed out any more.
///
/// Thread: the event loop's own. May call wakers.
///
/// @return `PC_OK`, `PC_NULL`, `PC_CONTEXT_UNKNOWN_CONTEXT`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_detach(event_loop: *mut pc_event_loop, context: u64) -> pc_status {
    let detach = |event_loop: &mut EventLoop| status_of(event_loop.detach(ContextId::from_bits(context)));
    // SAFETY: as C is told.
    unsafe { on_event_loop(event_loop, detach) }
}

/// A context has a listener for `runtime.onConnect`.
pub const PC_LISTENS_FOR_PORTS: u32 = 1;
/// A context has a listener for `runtime.onMessage`.
pub const PC_LISTENS_FOR_ONE_OFF: u32 = 2;
/// A context has a listener for `runtime.onConnectExternal`.
pub const PC_LISTENS_FOR_EXTERNAL_PORTS: u32 = 4;
/// A context has a listener for `runtime.onMessageExternal`.
pub const PC_LISTENS_FOR_EXTERNAL_ONE_OFF: u32 = 8;
/// A background that is started on demand (`PC_BACKGROUND_ON_DEMAND`) has run its script and registered its listeners: those that
/// wait for it may come.
pub const PC_IS_READY: u32 = 16;
/// Each connection is handed out as a question, with `undecided` set: `pc_accept()` or `pc_refuse()` it, now or later. Such a
/// connection makes one port, however many listeners there are.
pub const PC_ASKS: u32 = 32;

/// Sets which kinds of connection a context has listeners for; none after `pc_attach()`. A connection is refused
/// if there is no listener for its kind when the event loop takes it.
///
/// Thread: the event loop's own.
///
/// @param listens    the sum of some `PC_LISTENS_FOR_…`, `PC_IS_READY` and `PC_ASKS`, or 0
/// @param listeners  how many listeners for ports there are, for `PC_LISTENERS_HAVE_A_PORT_EACH` alone; 0 counts as 1
/// @return `PC_OK`, `PC_NULL`, `PC_UNKNOWN_VALUE`, `PC_CONTEXT_…`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_set_listening(
    event_loop: *mut pc_event_loop,
    context: u64,
    listens: u32,
    listeners: u16,
) -> pc_status {
    let set = |event_loop: &mut EventLoop| {
        if listens > 63 {
            return PC_UNKNOWN_VALUE;
        }
        let listening = Listening::none()
            .ports(listens & PC_LISTENS_FOR_PORTS != 0)
            .one_off(listens & PC_LISTENS_FOR_ONE_OFF != 0)
            .external_ports(listens & PC_LISTENS_FOR_EXTERNAL_PORTS != 0)
            .external_one_off(listens & PC_LISTENS_FOR_EXTERNAL_ONE_OFF != 0)
            .ready(listens & PC_IS_READY != 0)
            .asks(listens & PC_ASKS != 0)
            .listeners(listeners);
        status_of(event_loop.set_listening(ContextId::from_bits(context), listening))
    };
    // SAFETY: as C is told.
    unsafe { on_event_loop(event_loop, set) }
}

/// Lists the open ports of a context, opened and accepted, in no particular order.
///
/// Thread: the event loop's own.
///
/// @param ports     where to write them; may be null if `capacity` is 0
/// @param capacity  how many have room there
/// @param[out] count  how many there are, which may be more
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_ports(
    event_loop: *mut pc_event_loop,
    context: u64,
    ports: *mut u64,
    capacity: usize,
    count: *mut usize,
) -> pc_status {
    let list = |event_loop: &mut EventLoop| {
        // SAFETY: as C is told.
        let Some(count) = (unsafe { count.as_mut() }) else { return PC_NULL };
        if ports.is_null() && capacity > 0 {
            return PC_NULL;
        }
        *count = 0;
        for port in event_loop.ports(ContextId::from_bits(context)) {
            if *count < capacity {
                // SAFETY: as C is told, there is room for so many.
                let to = unsafe { ports.add(*count) };
                // SAFETY: the same.
                unsafe { to.write(port.to_bits()) };
            }
            *count += 1;
        }
        PC_OK
    };
    // SAFETY: as C is told.
    unsafe { on_event_loop(event_loop, list) }
}

/// Tells which context holds a port. Check this before you use a port whose number came from a script: many extensions share
/// an event loop, and numbers can be guessed.
///
/// Thread: the event loop's own.
///
/// @param[out] context  its id; 0 when the port is not open
/// @return `PC_OK`; `PC_NONE` when the port is not open; `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_context_of(
    event_loop: *mut pc_event_loop,
    port: u64,
    context: *mut u64,
) -> pc_status {
    let tell = |event_loop: &mut EventLoop| {
        // SAFETY: as C is told.
        let Some(context) = (unsafe { context.as_mut() }) else { return PC_NULL };
        let holder = event_loop.context_of(PortId::from_bits(port));
        *context = holder.map_or(0, ContextId::to_bits);
        if holder.is_some() { PC_OK } else { PC_NONE }
    };
    // SAFETY: as C is told.
    unsafe { on_event_loop(event_loop, tell) }
}

/// Keeps a number of yours with a context, such as an index or an address: every event for the context hands it out. It is
/// 0 at first.
///
/// Thread: the event loop's own.
///
/// @return `PC_OK`, `PC_NULL`, `PC_CONTEXT_UNKNOWN_CONTEXT`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_set_context_data(
    event_loop: *mut pc_event_loop,
    context: u64,
    data: u64,
) -> pc_status {
    let set = |event_loop: &mut EventLoop| {
        status_of(event_loop.set_context_data(ContextId::from_bits(context), data))
    };
    // SAFETY: as C is told.
    unsafe { on_event_loop(event_loop, set) }
}

/// Keeps a number of yours with a port: every event for the port hands it out from now on. It is 0 at first.
///
/// Thread: the event loop's own.
///
/// @return `PC_OK`; `PC_NONE` when the port is not open; `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_set_port_data(event_loop: *mut pc_event_loop, port: u64, data: u64) -> pc_status {
    let set = |event_loop: &mut EventLoop| {
        if event_loop.set_port_data(PortId::from_bits(port), data) { PC_OK } else { PC_NONE }
    };
    // SAFETY: as C is told.
    unsafe { on_event_loop(event_loop, set) }
}

/// Tells the number that was set on a context by `pc_set_context_data()`, or 0.
///
/// Thread: the event loop's own.
///
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_context_data(
    event_loop: *mut pc_event_loop,
    context: u64,
    data: *mut u64,
) -> pc_status {
    // SAFETY: as C is told.
    unsafe { give(event_loop, data, |event_loop| Ok(event_loop.context_data(ContextId::from_bits(context)))) }
}

/// Tells the number that was set on a port by `pc_set_port_data()`, or 0.
///
/// Thread: the event loop's own.
///
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_port_data(
    event_loop: *mut pc_event_loop,
    port: u64,
    data: *mut u64,
) -> pc_status {
    // SAFETY: as C is told.
    unsafe { give(event_loop, data, |event_loop| Ok(event_loop.port_data(PortId::from_bits(port)))) }
}
