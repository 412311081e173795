//! Backgrounds that are started on demand.

use crate::event_loop::pc_event_loop;
use crate::service::{fact, on_service, pc_service};
use crate::status::{Coded, PC_NONE, PC_NULL, PC_OK, PC_UNKNOWN_VALUE, pc_status};
use crate::thread_rule::on_event_loop;
use crate::waker::{pc_waker, take_over};
use port_core::{ConnectKind, ContextId, DisconnectReason, EventLoop, ExtensionInstance, MessageService};

/// Gives an extension instance whose background is to be started: it was loaded with `PC_BACKGROUND_ON_DEMAND`, somebody
/// connects to it, and it does not run. It is given once, however many wait. Start it: attach its context, run its script, then
/// say by `pc_set_listening()` that it `PC_IS_READY`; or `pc_give_up_background()`.
///
/// Thread: any.
///
/// @param[out] extension  the instance
/// @return `PC_OK`; `PC_NONE` when there is none now; `PC_NULL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_next_wanted_background(
    service: *const pc_service,
    extension: *mut u64,
) -> pc_status {
    let next = |service: &MessageService| {
        // SAFETY: as C is told.
        let Some(to) = (unsafe { extension.as_mut() }) else { return PC_NULL };
        let Some(wanted) = service.next_wanted_background() else { return PC_NONE };
        *to = wanted.to_bits();
        PC_OK
    };
    // SAFETY: as C is told.
    unsafe { on_service(service, next) }
}

/// Sets the waker that is called whenever `pc_next_wanted_background()` has something new to give; at once, if it has now.
/// The service holds one: the last that was set.
///
/// Thread: any.
///
/// @param waker  null for one that does nothing
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_set_background_waker(
    service: *const pc_service,
    waker: *const pc_waker,
) -> pc_status {
    let set = |service: &MessageService| {
        // SAFETY: as C is told.
        match unsafe { take_over(waker) } {
            Ok(waker) => {
                service.set_background_waker(waker());
                PC_OK
            }
            Err(status) => status,
        }
    };
    // SAFETY: as C is told.
    unsafe { on_service(service, set) }
}

/// Reports that a wanted background will not come: its script failed, or took too long. The ports that waited for it end, and
/// the next connect asks for it again.
///
/// Thread: any. May call wakers.
///
/// @param reason  what the ports end with, usually `PC_REASON_BACKGROUND_NOT_STARTED`
/// @return `PC_OK`, `PC_NULL`, `PC_UNKNOWN_VALUE` for the reason, `PC_FACT_UNKNOWN_EXTENSION`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_give_up_background(
    service: *const pc_service,
    extension: u64,
    reason: pc_status,
) -> pc_status {
    let known = DisconnectReason::ALL.iter().find(|known| known.status() == reason);
    let Some(reason) = known else { return PC_UNKNOWN_VALUE };
    let give_up = |service: &MessageService| {
        service.give_up_background(ExtensionInstance::from_bits(extension), *reason)
    };
    // SAFETY: as C is told.
    unsafe { fact(service, give_up) }
}

/// Ends the context of an extension's background, with its ports, whose other sides hear `PC_REASON_BACKGROUND_STOPPED`. If it is
/// started on demand, the next connect asks for it again, and so does one that nobody had taken: it waits for the next
/// start, once the background's event loop has taken its events or is dropped.
///
/// Thread: any. May call wakers.
///
/// @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_EXTENSION`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_stop_background(service: *const pc_service, extension: u64) -> pc_status {
    // SAFETY: as C is told.
    unsafe { fact(service, |service| service.stop_background(ExtensionInstance::from_bits(extension))) }
}

/// An open port of a context, from `pc_why_awake()`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct pc_active_port {
    /// The end that the context holds.
    pub port: u64,
    /// The number of its last use; 0 if there was none.
    pub last_use: u64,
    /// What it is for: `PC_PORT`, or `PC_ONE_OFF`, a message that is not answered yet.
    pub kind: u32,
    /// 1 if the context opened it, 0 if it accepted it.
    pub opened: u32,
}

/// Tells what keeps a background awake: its open ports, the one used last first, and how many uses there were. A timer that
/// finds the same number of uses twice knows that the background was idle in between.
///
/// Thread: the event loop's own.
///
/// @param[out] uses  how many uses there were; 0 for a context that is no background started on demand
/// @param ports      where to write the ports; may be null if `capacity` is 0
/// @param capacity   how many have room there
/// @param[out] count  how many there are, which may be more
/// @return `PC_OK`, `PC_NULL`, `PC_CONTEXT_UNKNOWN_CONTEXT`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_why_awake(
    event_loop: *mut pc_event_loop,
    context: u64,
    uses: *mut u64,
    ports: *mut pc_active_port,
    capacity: usize,
    count: *mut usize,
) -> pc_status {
    let tell = |event_loop: &mut EventLoop| {
        // SAFETY: as C is told.
        let Some(uses) = (unsafe { uses.as_mut() }) else { return PC_NULL };
        // SAFETY: as C is told.
        let Some(count) = (unsafe { count.as_mut() }) else { return PC_NULL };
        if ports.is_null() && capacity > 0 {
            return PC_NULL;
        }
        let activity = match event_loop.why_awake(ContextId::from_bits(context)) {
            Ok(activity) => activity,
            Err(error) => return error.status(),
        };
        *uses = activity.uses;
        *count = activity.ports.len();
        for (at, active) in activity.ports.iter().enumerate().take(capacity) {
            let kind = u32::from(active.kind == ConnectKind::OneOff);
            let (port, opened) = (active.port.to_bits(), active.opened.into());
            // SAFETY: as C is told, there is room for so many.
            let to = unsafe { ports.add(at) };
            // SAFETY: the same.
            unsafe { to.write(pc_active_port { port, last_use: active.last_use, kind, opened }) };
        }
        PC_OK
    };
    // SAFETY: as C is told.
    unsafe { on_event_loop(event_loop, tell) }
}
