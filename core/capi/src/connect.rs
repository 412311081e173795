//! Connecting and disconnecting.

use crate::event_loop::pc_event_loop;
use crate::service::pc_document;
use crate::sized::{Sized32, read};
use crate::status::{Coded, PC_NONE, PC_OK, PC_UNKNOWN_VALUE, pc_status};
use crate::text::pc_string;
use crate::thread_rule::{give, on_event_loop};
use port_core::{
    ConnectKind, ContextId, EventLoop, ExtensionId, FrameId, PortId, RuntimeTarget, TabId, TabTarget,
};

/// A kind of connection: a port (`connect` and `onConnect`).
pub const PC_PORT: u32 = 0;
/// A kind of connection: a one-off message with its answer (`sendMessage` and `onMessage`). Post the message on the
/// port that you get, take the first message back as the answer, and disconnect.
pub const PC_ONE_OFF: u32 = 1;

pub(crate) fn kind_of(kind: u32) -> Result<ConnectKind, pc_status> {
    match kind {
        PC_PORT => Ok(ConnectKind::Port),
        PC_ONE_OFF => Ok(ConnectKind::OneOff),
        _ => Err(PC_UNKNOWN_VALUE),
    }
}

/// Says where `tabs.connect` goes: to a tab, or to one frame or document of it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct pc_tab_target {
    /// `sizeof(pc_tab_target)`.
    pub size: u32,
    /// What the connection is for: `PC_PORT` or `PC_ONE_OFF`.
    pub kind: u32,
    /// The tab.
    pub tab: u64,
    /// 1 if it goes to `frame` alone, otherwise 0.
    pub has_frame: u32,
    /// 1 if it goes to `document` alone, otherwise 0.
    pub has_document: u32,
    /// The frame (`frameId`).
    pub frame: u64,
    /// The document (`documentId`), of this tab.
    pub document: pc_document,
    /// The port's name, which may be empty.
    pub name: pc_string,
}

// SAFETY: it is `repr(C)`, numbers and pointers.
unsafe impl Sized32 for pc_tab_target {}

/// Says where `runtime.connect` goes: to the background and page contexts of an extension.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct pc_runtime_target {
    /// `sizeof(pc_runtime_target)`.
    pub size: u32,
    /// What the connection is for: `PC_PORT` or `PC_ONE_OFF`.
    pub kind: u32,
    /// The id of another extension, which must allow it; empty for the opener's own.
    pub extension: pc_string,
    /// The port's name, which may be empty.
    pub name: pc_string,
}

// SAFETY: it is `repr(C)`, numbers and pointers.
unsafe impl Sized32 for pc_runtime_target {}

/// Connects a background or page context to its own extension's content scripts in a tab: `tabs.connect`. Gives the
/// opener's end at once; messages may be posted right away. When nobody takes the connection, the port ends with
/// `PC_REASON_NO_RECEIVER`, never before this returns.
///
/// Thread: the event loop's own. May call wakers.
///
/// @param opener  the context that connects
/// @param[out] port  the opener's end
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`, `PC_UNKNOWN_VALUE`, `PC_NOT_UTF8`, `PC_LONE_SURROGATE`, `PC_CONNECT_…`,
/// `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_connect_tab(
    event_loop: *mut pc_event_loop,
    opener: u64,
    target: *const pc_tab_target,
    port: *mut u64,
) -> pc_status {
    let connect = |event_loop: &mut EventLoop| {
        // SAFETY: as C is told.
        let told = unsafe { read(target) }?;
        // SAFETY: as C is told.
        let name = unsafe { told.name.read() }?;
        // The name last, for it is what makes a target slow to move.
        let mut target = TabTarget::new(TabId::new(told.tab)).kind(kind_of(told.kind)?);
        if told.has_frame != 0 {
            target = target.frame(FrameId::new(told.frame));
        }
        if told.has_document != 0 {
            target = target.document(told.document.into());
        }
        let port = event_loop.connect_tab(ContextId::from_bits(opener), &target.name(name));
        port.map(PortId::to_bits).map_err(Coded::status)
    };
    // SAFETY: as C is told.
    unsafe { give(event_loop, port, connect) }
}

/// Connects a context to the background and page contexts of its own extension, or of another that admits it:
/// `runtime.connect`. Everything else is as for `pc_connect_tab()`.
///
/// Thread: the event loop's own. May call wakers.
///
/// @param opener  the context that connects
/// @param[out] port  the opener's end
/// @return as `pc_connect_tab()`, and `PC_CONTAINS_NUL` for the extension's id.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_connect_runtime(
    event_loop: *mut pc_event_loop,
    opener: u64,
    target: *const pc_runtime_target,
    port: *mut u64,
) -> pc_status {
    let connect = |event_loop: &mut EventLoop| {
        // SAFETY: as C is told.
        let told = unsafe { read(target) }?;
        // SAFETY: as C is told.
        let name = unsafe { told.name.read() }?;
        // SAFETY: as C is told.
        let target = match unsafe { told.extension.read_name() }? {
            "" => RuntimeTarget::own(),
            extension => RuntimeTarget::extension(ExtensionId::new(extension)),
        };
        let target = target.name(name).kind(kind_of(told.kind)?);
        let port = event_loop.connect_runtime(ContextId::from_bits(opener), &target);
        port.map(PortId::to_bits).map_err(Coded::status)
    };
    // SAFETY: as C is told.
    unsafe { give(event_loop, port, connect) }
}

/// Ends a port: `port.disconnect()`. The other side receives everything posted before, then
/// `PC_REASON_DISCONNECTED`; this side hears nothing more of it.
///
/// Thread: the event loop's own. May call wakers.
///
/// @return `PC_OK`; `PC_NONE` when the port was not open; `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_disconnect(event_loop: *mut pc_event_loop, port: u64) -> pc_status {
    let disconnect = |event_loop: &mut EventLoop| {
        if event_loop.disconnect(PortId::from_bits(port)) { PC_OK } else { PC_NONE }
    };
    // SAFETY: as C is told.
    unsafe { on_event_loop(event_loop, disconnect) }
}

/// Takes a connection that was handed out with `undecided` set (`PC_ASKS`). Its opener hears that it has a receiver. To post on the
/// port does the same.
///
/// Thread: the event loop's own. May call wakers.
///
/// @return `PC_OK`; `PC_NONE` when there was nothing to decide: it was decided, or the port has ended; `PC_NULL`,
/// `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_accept(event_loop: *mut pc_event_loop, port: u64) -> pc_status {
    let accept = |event_loop: &mut EventLoop| {
        if event_loop.accept(PortId::from_bits(port)) { PC_OK } else { PC_NONE }
    };
    // SAFETY: as C is told.
    unsafe { on_event_loop(event_loop, accept) }
}

/// Refuses a connection that was handed out with `undecided` set (`PC_ASKS`), as if no listener had been there. The port is closed,
/// with no event of its own. If nobody else takes the connection, its opener hears `PC_REASON_NO_RECEIVER`.
///
/// Thread: the event loop's own. May call wakers.
///
/// @return `PC_OK`; `PC_NONE` when there was nothing to decide: it was decided, or the port has ended; `PC_NULL`,
/// `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_refuse(event_loop: *mut pc_event_loop, port: u64) -> pc_status {
    let refuse = |event_loop: &mut EventLoop| {
        if event_loop.refuse(PortId::from_bits(port)) { PC_OK } else { PC_NONE }
    };
    // SAFETY: as C is told.
    unsafe { on_event_loop(event_loop, refuse) }
}

/// Tells whether a port may be used: it has not ended, or its `PC_DISCONNECT` has not been handed out yet.
///
/// Thread: the event loop's own.
///
/// @return `PC_OK` when it is open, otherwise `PC_NONE`; `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_is_open(event_loop: *mut pc_event_loop, port: u64) -> pc_status {
    let look = |event_loop: &mut EventLoop| {
        if event_loop.is_open(PortId::from_bits(port)) { PC_OK } else { PC_NONE }
    };
    // SAFETY: as C is told.
    unsafe { on_event_loop(event_loop, look) }
}
