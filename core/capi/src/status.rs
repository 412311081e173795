//! The numbers that calls answer with, and their texts.
//!
//! Those from 100 on are the core's own (`code()`); a test holds the two against each other.

use port_core::{AttachError, ConnectError, ContextError, DisconnectReason, FactError, PostErrorKind};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char};
use std::sync::OnceLock;

/// What a call answered: `PC_OK`, or why it did nothing. Also why a port or a context ended (`PC_REASON_…`).
/// The numbers never change; a later version may have more. `pc_status_text()` has a text for each.
pub type pc_status = i32;

/// The call did what it was asked.
pub const PC_OK: pc_status = 0;
/// There is nothing: no event now, no such port, no listener. No error.
pub const PC_NONE: pc_status = 1;

/// A pointer is null where the call needs one.
pub const PC_NULL: pc_status = 10;
/// The `size` at the head of a struct is less than this version's, or what lies after its fields is not zero; or
/// it is not aligned, or a length is more than memory can have.
pub const PC_WRONG_SIZE: pc_status = 11;
/// A number has no meaning where it stands, such as an unknown kind.
pub const PC_UNKNOWN_VALUE: pc_status = 12;
/// A text is not UTF-8.
pub const PC_NOT_UTF8: pc_status = 13;
/// A text has half of a surrogate pair, written as if it were a character. A string of JavaScript's may have one:
/// make it U+FFFD, as browsers do (`String.prototype.toWellFormed`).
pub const PC_LONE_SURROGATE: pc_status = 14;
/// An extension's id, a URL or an origin has a NUL. (The name of a port may have one.)
pub const PC_CONTAINS_NUL: pc_status = 15;
/// The event loop belongs to another thread.
pub const PC_WRONG_THREAD: pc_status = 16;
/// The event loop is in the middle of another call, which called you back.
pub const PC_IN_USE: pc_status = 17;
/// A mistake in this library: it panicked, and wrote why to the standard error output. An event loop on which that
/// happened refuses every later call but `pc_event_loop_free()`.
pub const PC_PANICKED: pc_status = 18;

/// A fact: no such tab is open.
pub const PC_FACT_UNKNOWN_TAB: pc_status = 100;
/// A fact: a tab with this id is open already.
pub const PC_FACT_TAB_EXISTS: pc_status = 101;
/// A fact: the tab has no such frame.
pub const PC_FACT_UNKNOWN_FRAME: pc_status = 102;
/// A fact: the tab has a frame with this id already.
pub const PC_FACT_FRAME_EXISTS: pc_status = 103;
/// A fact: the document is not where the call needs it: shown by a frame, or kept by a cache.
pub const PC_FACT_UNKNOWN_DOCUMENT: pc_status = 104;
/// A fact: the document is shown or kept already; ids of documents are never used again.
pub const PC_FACT_DOCUMENT_EXISTS: pc_status = 105;
/// A fact: the extension instance is not loaded.
pub const PC_FACT_UNKNOWN_EXTENSION: pc_status = 106;
/// A fact: the extension is loaded already; unload it first.
pub const PC_FACT_EXTENSION_EXISTS: pc_status = 107;
/// A fact: there is no such event loop, or it is gone.
pub const PC_FACT_UNKNOWN_EVENT_LOOP: pc_status = 108;

/// An attach: the extension instance is not loaded.
pub const PC_ATTACH_UNKNOWN_EXTENSION: pc_status = 200;
/// An attach: the frame does not show this document, or no longer does.
pub const PC_ATTACH_UNKNOWN_DOCUMENT: pc_status = 201;
/// An attach: the browser declared this event loop gone.
pub const PC_ATTACH_EVENT_LOOP_GONE: pc_status = 202;
/// An attach: the event loop holds as many contexts as ids can name.
pub const PC_ATTACH_TOO_MANY_CONTEXTS: pc_status = 203;
/// An attach: the URL and the origin are longer than the limits allow.
pub const PC_ATTACH_DESCRIPTION_TOO_LONG: pc_status = 204;

/// A context: the id was never given by this event loop, or the context is detached.
pub const PC_CONTEXT_UNKNOWN_CONTEXT: pc_status = 300;
/// A context: a fact ended it; its `PC_CONTEXT_ENDED` is on its way.
pub const PC_CONTEXT_GONE: pc_status = 301;

/// A connect: the id of the context was never given by this event loop, or the context is detached.
pub const PC_CONNECT_UNKNOWN_CONTEXT: pc_status = 400;
/// A connect: a fact ended the context; its `PC_CONTEXT_ENDED` is on its way.
pub const PC_CONNECT_GONE: pc_status = 401;
/// A connect: the context's page is in the back/forward cache, where the policy leaves no ports.
pub const PC_CONNECT_CACHED: pc_status = 402;
/// A connect: a content script may not call `tabs.connect`.
pub const PC_CONNECT_NOT_ALLOWED: pc_status = 403;
/// A connect: the context holds as many ports, or bytes of their names, as the limits allow.
pub const PC_CONNECT_TOO_MANY_PORTS: pc_status = 404;
/// A connect: the event loop of a target is too far behind, or too many connections there wait for their answers.
pub const PC_CONNECT_BUSY: pc_status = 405;
/// A connect: the name is longer than the limits allow.
pub const PC_CONNECT_NAME_TOO_LONG: pc_status = 406;

/// A post: the port has ended, or its id was never given by this event loop.
pub const PC_POST_DISCONNECTED: pc_status = 500;
/// A post: a fact ended the context; its `PC_CONTEXT_ENDED` is on its way.
pub const PC_POST_GONE: pc_status = 501;
/// A post: the message is longer than the limits allow.
pub const PC_POST_TOO_LARGE: pc_status = 502;
/// A post: the port's window is full; a `PC_ROOM` tells when there is room again.
pub const PC_POST_WINDOW_FULL: pc_status = 503;
/// A post: the event loop of a receiver is too far behind; a `PC_ROOM` tells when there is room again.
pub const PC_POST_BUSY: pc_status = 504;

/// Why something ended: the other side called `disconnect()`.
pub const PC_REASON_DISCONNECTED: pc_status = 600;
/// Why something ended: another receiver of the same port ended it for all of them.
pub const PC_REASON_SIBLING_ENDED: pc_status = 601;
/// Why something ended: nobody took the connection.
pub const PC_REASON_NO_RECEIVER: pc_status = 602;
/// Why something ended: nobody took the connection, because the receivers hold as many ports as they may.
pub const PC_REASON_LIMIT_REACHED: pc_status = 603;
/// Why something ended: the other side's context was detached.
pub const PC_REASON_CONTEXT_DETACHED: pc_status = 604;
/// Why something ended: the frame was removed from its page.
pub const PC_REASON_FRAME_REMOVED: pc_status = 605;
/// Why something ended: the frame went to another document.
pub const PC_REASON_NAVIGATED: pc_status = 606;
/// Why something ended: the tab was closed.
pub const PC_REASON_TAB_CLOSED: pc_status = 607;
/// Why something ended: the tab was discarded to save memory.
pub const PC_REASON_TAB_DISCARDED: pc_status = 608;
/// Why something ended: the tab crashed.
pub const PC_REASON_TAB_CRASHED: pc_status = 609;
/// Why something ended: the page went into the back/forward cache.
pub const PC_REASON_BACK_FORWARD_CACHE: pc_status = 610;
/// Why something ended: the extension was unloaded, disabled or updated.
pub const PC_REASON_EXTENSION_UNLOADED: pc_status = 611;
/// Why something ended: the event loop is gone.
pub const PC_REASON_EVENT_LOOP_GONE: pc_status = 612;
/// Why something ended: the background was stopped, to be started again on demand.
pub const PC_REASON_BACKGROUND_STOPPED: pc_status = 613;
/// Why something ended: nobody took the connection, because the background could not be started.
pub const PC_REASON_BACKGROUND_NOT_STARTED: pc_status = 614;
/// Why something ended: the other side's process crashed.
pub const PC_REASON_PROCESS_CRASHED: pc_status = 615;

/// The texts of the statuses that are this interface's own.
const OWN: [(pc_status, &CStr); 11] = [
    (PC_OK, c"done"),
    (PC_NONE, c"nothing there"),
    (PC_NULL, c"a pointer is null"),
    (PC_WRONG_SIZE, c"a struct or a text has a wrong size"),
    (PC_UNKNOWN_VALUE, c"a number has no meaning where it stands"),
    (PC_NOT_UTF8, c"a text is not UTF-8"),
    (PC_LONE_SURROGATE, c"a text has half of a surrogate pair"),
    (PC_CONTAINS_NUL, c"a text has a NUL"),
    (PC_WRONG_THREAD, c"the event loop belongs to another thread"),
    (PC_IN_USE, c"the event loop is in the middle of another call"),
    (PC_PANICKED, c"the library panicked"),
];

/// Returns an English text for a status: in lower case, without a full stop, for logs. The text lives for ever.
/// A number that is no status has the text "unknown status"; the answer is never null.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub extern "C" fn pc_status_text(status: pc_status) -> *const c_char {
    if let Some((_, text)) = OWN.iter().find(|(own, _)| *own == status) {
        return text.as_ptr();
    }
    static TEXTS: OnceLock<BTreeMap<pc_status, CString>> = OnceLock::new();
    let texts = TEXTS.get_or_init(|| {
        all_of_the_core().filter_map(|(code, text)| Some((code, CString::new(text).ok()?))).collect()
    });
    texts.get(&status).map_or(c"unknown status".as_ptr(), |text| text.as_ptr())
}

/// Lists the numbers and texts of the core.
fn all_of_the_core() -> impl Iterator<Item = (pc_status, &'static str)> {
    macro_rules! of {
        ($name:ident) => {
            $name::ALL.iter().map(|one| (pc_status::from(one.code()), one.text()))
        };
    }
    of!(FactError)
        .chain(of!(AttachError))
        .chain(of!(ContextError))
        .chain(of!(ConnectError))
        .chain(of!(PostErrorKind))
        .chain(of!(DisconnectReason))
}

/// An error of the core whose number is a status.
pub(crate) trait Coded {
    fn status(self) -> pc_status;
}

macro_rules! coded {
    ($($name:ident),+) => {
        $(
            impl Coded for $name {
                #[inline]
                fn status(self) -> pc_status {
                    pc_status::from(self.code())
                }
            }
        )+
    };
}

coded!(FactError, AttachError, ContextError, ConnectError, PostErrorKind, DisconnectReason);

/// Returns the status of a call of the core that gives nothing.
pub(crate) fn status_of<E: Coded>(result: Result<(), E>) -> pc_status {
    result.map_or_else(E::status, |()| PC_OK)
}
