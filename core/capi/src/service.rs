//! The service: where the browser reports facts.

use crate::live;
use crate::options::{pc_limits, pc_policies, read_options};
use crate::status::{Coded, PC_NULL, PC_OK, PC_UNKNOWN_VALUE, pc_status, status_of};
use crate::text::pc_string;
use crate::thread_rule::contained;
use port_core::{
    DocumentId, EventLoopId, ExtensionDescription, ExtensionId, ExtensionInstance, ExternalConnections,
    FactError, FrameId, MessageService, TabId, WindowId,
};

/// The messaging of one browser, or of one profile of it: takes the facts that the browser knows, and makes event
/// loops. Two services know nothing of each other, and each refuses the other's ids.
///
/// A fact takes effect before its call returns. It may wake event loops: their wakers are called on the thread
/// that reports it, under no lock.
pub struct pc_service {
    service: MessageService,
}

pub(crate) const KIND: &str = "service";

/// The id of a document: 128 bits, so that a browser's UUID fits. Chosen by the browser, and never used again.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct pc_document {
    /// The upper half.
    pub high: u64,
    /// The lower half.
    pub low: u64,
}

impl From<pc_document> for DocumentId {
    fn from(document: pc_document) -> Self {
        Self::new(u128::from(document.high) << 64 | u128::from(document.low))
    }
}

impl From<DocumentId> for pc_document {
    #[allow(clippy::cast_possible_truncation, reason = "the two halves")]
    fn from(document: DocumentId) -> Self {
        Self { high: (document.get() >> 64) as u64, low: document.get() as u64 }
    }
}

/// Flag of `pc_service_new()`: never call Linux's `membarrier`, for sandboxes that kill who calls it. Every post then
/// takes a little longer.
pub const PC_WITHOUT_MEMBARRIER: u32 = 1;

/// The id of the top frame of every tab.
pub const PC_TOP_FRAME: u64 = 0;

/// For `pc_extension_loaded()`: no other extension may connect to it.
pub const PC_EXTERNAL_NOBODY: u32 = 0;
/// For `pc_extension_loaded()`: every other extension may.
pub const PC_EXTERNAL_EVERYONE: u32 = 1;
/// For `pc_extension_loaded()`: those that are listed may.
pub const PC_EXTERNAL_LISTED: u32 = 2;

/// Flag of `pc_extension_loaded()`: its background is started on demand, as service workers and event pages are. While it
/// does not run, connects to it wait: see `pc_next_wanted_background()`.
pub const PC_BACKGROUND_ON_DEMAND: u32 = 1;

/// Makes a service.
///
/// Thread: any.
///
/// @param policies  what it does where browsers differ; null for the defaults
/// @param limits    what it may hold; null for the defaults
/// @param flags     0, or `PC_WITHOUT_MEMBARRIER`
/// @param[out] service  for `pc_service_free()`; null if the call is refused
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`, `PC_UNKNOWN_VALUE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_service_new(
    policies: *const pc_policies,
    limits: *const pc_limits,
    flags: u32,
    service: *mut *mut pc_service,
) -> pc_status {
    contained(|| {
        // SAFETY: as C is told.
        let Some(to) = (unsafe { service.as_mut() }) else { return PC_NULL };
        *to = std::ptr::null_mut();
        // SAFETY: as C is told.
        let (policies, limits) = match unsafe { read_options(policies, limits) } {
            Ok(options) => options,
            Err(status) => return status,
        };
        if flags & !PC_WITHOUT_MEMBARRIER != 0 {
            return PC_UNKNOWN_VALUE;
        }
        let fences = flags & PC_WITHOUT_MEMBARRIER == 0;
        let service =
            MessageService::builder().policies(policies).limits(limits).asymmetric_fences(fences).build();
        *to = Box::into_raw(Box::new(pc_service { service }));
        live::made(*to, KIND);
        PC_OK
    })
}

/// Frees the handle of a service; null is ignored. Its event loops live on, and work as before: the rest of the
/// service goes with the last of them. No other thread may be using the handle.
///
/// Thread: any. In a debug build a second call for the same handle aborts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_service_free(service: *mut pc_service) {
    contained(|| {
        if !service.is_null() {
            live::let_go(service, KIND);
            // SAFETY: as C is told, it is a live handle and this is its last use.
            drop(unsafe { Box::from_raw(service) });
        }
        PC_OK
    });
}

/// Runs a call on a service. It works on a handle of its own, so that a waker may free the other one.
///
/// # Safety
///
/// `handle` is null or a live service's.
pub(crate) unsafe fn on_service(
    handle: *const pc_service,
    call: impl FnOnce(&MessageService) -> pc_status,
) -> pc_status {
    contained(|| {
        if handle.is_null() {
            return PC_NULL;
        }
        live::check(handle, KIND);
        // SAFETY: as above.
        let service = unsafe { &(*handle).service }.clone();
        call(&service)
    })
}

/// Reports a fact.
///
/// # Safety
///
/// As for [`on_service`].
pub(crate) unsafe fn fact(
    handle: *const pc_service,
    report: impl FnOnce(&MessageService) -> Result<(), FactError>,
) -> pc_status {
    // SAFETY: the same.
    unsafe { on_service(handle, |service| status_of(report(service))) }
}

/// Reports that a tab was opened, with no frames yet.
///
/// Thread: any. May call wakers.
///
/// @return `PC_OK`, `PC_NULL`, `PC_FACT_TAB_EXISTS`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_tab_opened(service: *const pc_service, tab: u64, window: u64) -> pc_status {
    // SAFETY: as C is told.
    unsafe { fact(service, |service| service.tab_opened(TabId::new(tab), WindowId::new(window))) }
}

/// Reports that a tab was moved to a window. Its ports live on.
///
/// Thread: any.
///
/// @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_TAB`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_tab_moved(service: *const pc_service, tab: u64, window: u64) -> pc_status {
    // SAFETY: as C is told.
    unsafe { fact(service, |service| service.tab_moved(TabId::new(tab), WindowId::new(window))) }
}

/// Reports that a tab was closed: everything in it ends, and its id may be used again.
///
/// Thread: any. May call wakers.
///
/// @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_TAB`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_tab_closed(service: *const pc_service, tab: u64) -> pc_status {
    // SAFETY: as C is told.
    unsafe { fact(service, |service| service.tab_closed(TabId::new(tab))) }
}

/// Reports that a tab was discarded to save memory: everything in it ends, and the tab stays open without frames.
///
/// Thread: any. May call wakers.
///
/// @param next      its id from now on, if the policy is `PC_DISCARDED_TAKES_NEW_ID`; otherwise ignored
/// @param[out] now  the id that the tab has now; may be null
/// @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_TAB`, `PC_FACT_TAB_EXISTS`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_tab_discarded(
    service: *const pc_service,
    tab: u64,
    next: u64,
    now: *mut u64,
) -> pc_status {
    let report = |service: &MessageService| {
        let id = service.tab_discarded(TabId::new(tab), TabId::new(next))?;
        // SAFETY: as C is told.
        if let Some(now) = unsafe { now.as_mut() } {
            *now = id.get();
        }
        Ok(())
    };
    // SAFETY: as C is told.
    unsafe { fact(service, report) }
}

/// Reports that a tab crashed: everything in it ends, and the tab stays open without frames.
///
/// Thread: any. May call wakers.
///
/// @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_TAB`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_tab_crashed(service: *const pc_service, tab: u64) -> pc_status {
    // SAFETY: as C is told.
    unsafe { fact(service, |service| service.tab_crashed(TabId::new(tab))) }
}

/// Reports that a frame was added to a tab and shows a document.
///
/// Thread: any.
///
/// @param parent  the frame that contains it; null for the top frame
/// @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_TAB`, `PC_FACT_UNKNOWN_FRAME` for the parent, `PC_FACT_FRAME_EXISTS`,
/// `PC_FACT_DOCUMENT_EXISTS`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_frame_attached(
    service: *const pc_service,
    tab: u64,
    frame: u64,
    parent: *const u64,
    document: pc_document,
) -> pc_status {
    // SAFETY: as C is told.
    let parent = unsafe { parent.as_ref() }.map(|parent| FrameId::new(*parent));
    let report = |service: &MessageService| {
        service.frame_attached(TabId::new(tab), FrameId::new(frame), parent, document.into())
    };
    // SAFETY: as C is told.
    unsafe { fact(service, report) }
}

/// Reports that a frame went to another document: the contexts of the old one end, and the frames below it. Do not
/// report a navigation within the document.
///
/// Thread: any. May call wakers.
///
/// @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_TAB`, `PC_FACT_UNKNOWN_FRAME`, `PC_FACT_DOCUMENT_EXISTS`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_frame_navigated(
    service: *const pc_service,
    tab: u64,
    frame: u64,
    document: pc_document,
) -> pc_status {
    let report = |service: &MessageService| {
        service.frame_navigated(TabId::new(tab), FrameId::new(frame), document.into())
    };
    // SAFETY: as C is told.
    unsafe { fact(service, report) }
}

/// Reports that a frame was removed from its page, with those below it.
///
/// Thread: any. May call wakers.
///
/// @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_TAB`, `PC_FACT_UNKNOWN_FRAME`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_frame_removed(service: *const pc_service, tab: u64, frame: u64) -> pc_status {
    // SAFETY: as C is told.
    unsafe { fact(service, |service| service.frame_removed(TabId::new(tab), FrameId::new(frame))) }
}

/// Reports that a document, with the frames below its own, went into the back/forward cache.
///
/// Thread: any. May call wakers.
///
/// @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_DOCUMENT` when no frame shows it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_document_cached(service: *const pc_service, document: pc_document) -> pc_status {
    // SAFETY: as C is told.
    unsafe { fact(service, |service| service.document_cached(document.into())) }
}

/// Reports that a cached document is shown again, with the frames below its own. What its frame showed in the meantime
/// ends, unless it was cached too.
///
/// Thread: any. May call wakers.
///
/// @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_DOCUMENT` when it is not in the cache, `PC_FACT_UNKNOWN_FRAME` when
/// its frame was removed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_document_restored(
    service: *const pc_service,
    document: pc_document,
) -> pc_status {
    // SAFETY: as C is told.
    unsafe { fact(service, |service| service.document_restored(document.into())) }
}

/// Reports that a cached document was thrown out of the cache: it ends, with the frames below its own.
///
/// Thread: any. May call wakers.
///
/// @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_DOCUMENT` when it is not in the cache.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_document_evicted(service: *const pc_service, document: pc_document) -> pc_status {
    // SAFETY: as C is told.
    unsafe { fact(service, |service| service.document_evicted(document.into())) }
}

/// Reports that an extension was loaded. Every load is another instance.
///
/// Thread: any.
///
/// @param id        its id, as scripts see it (`runtime.id`)
/// @param external  which other extensions may connect to it: `PC_EXTERNAL_…`
/// @param listed    their ids, for `PC_EXTERNAL_LISTED`; otherwise ignored
/// @param listed_count  how many there are
/// @param flags     0, or `PC_BACKGROUND_ON_DEMAND`
/// @param[out] extension  the instance
/// @return `PC_OK`, `PC_NULL`, `PC_UNKNOWN_VALUE`, `PC_NOT_UTF8`, `PC_LONE_SURROGATE`, `PC_CONTAINS_NUL`,
/// `PC_WRONG_SIZE`, `PC_FACT_EXTENSION_EXISTS`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_extension_loaded(
    service: *const pc_service,
    id: pc_string,
    external: u32,
    listed: *const pc_string,
    listed_count: usize,
    flags: u32,
    extension: *mut u64,
) -> pc_status {
    let load = |service: &MessageService| -> Result<(), pc_status> {
        // SAFETY: as C is told.
        let extension = unsafe { extension.as_mut() }.ok_or(PC_NULL)?;
        let external = match external {
            PC_EXTERNAL_NOBODY => ExternalConnections::Nobody,
            PC_EXTERNAL_EVERYONE => ExternalConnections::Everyone,
            // SAFETY: as C is told.
            PC_EXTERNAL_LISTED => ExternalConnections::Extensions(unsafe { ids(listed, listed_count) }?),
            _ => return Err(PC_UNKNOWN_VALUE),
        };
        // SAFETY: as C is told.
        let id = ExtensionId::new(unsafe { id.read_name() }?);
        let mut described = ExtensionDescription::new(id).external(external);
        match flags {
            0 => {}
            PC_BACKGROUND_ON_DEMAND => described = described.background_on_demand(),
            _ => return Err(PC_UNKNOWN_VALUE),
        }
        *extension = service.extension_loaded(described).map_err(Coded::status)?.to_bits();
        Ok(())
    };
    // SAFETY: as C is told.
    unsafe { on_service(service, |service| load(service).err().unwrap_or(PC_OK)) }
}

/// Reads a list of ids.
///
/// # Safety
///
/// `list` points to `count` texts.
pub(crate) unsafe fn ids(list: *const pc_string, count: usize) -> Result<Vec<ExtensionId>, pc_status> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if list.is_null() {
        return Err(PC_NULL);
    }
    if count > isize::MAX as usize / size_of::<pc_string>() {
        return Err(crate::status::PC_WRONG_SIZE);
    }
    // SAFETY: as above.
    let list = unsafe { std::slice::from_raw_parts(list, count) };
    // SAFETY: as above.
    list.iter().map(|id| Ok(ExtensionId::new(unsafe { id.read_name() }?))).collect()
}

/// Reports that an extension was unloaded, disabled or replaced by an update: all its contexts end.
///
/// Thread: any. May call wakers.
///
/// @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_EXTENSION`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_extension_unloaded(service: *const pc_service, extension: u64) -> pc_status {
    // SAFETY: as C is told.
    unsafe { fact(service, |service| service.extension_unloaded(ExtensionInstance::from_bits(extension))) }
}

/// Reports that the thread of an event loop died or hangs: all its contexts end for everyone else, and its peers are
/// told. Should the thread run on after all, its calls are refused: see `pc_event_loop_is_gone()`.
///
/// Thread: any. May call wakers.
///
/// @param event_loop  the id, from `pc_event_loop_id()`
/// @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_EVENT_LOOP`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_event_loop_gone(service: *const pc_service, event_loop: u64) -> pc_status {
    // SAFETY: as C is told.
    unsafe { fact(service, |service| service.event_loop_gone(EventLoopId::from_bits(event_loop))) }
}

/// Reports that the process that an event loop stands for crashed. Everything is as for `pc_event_loop_gone()`, but others hear
/// `PC_REASON_PROCESS_CRASHED`.
///
/// Thread: any. May call wakers.
///
/// @param event_loop  the id, from `pc_event_loop_id()`
/// @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_EVENT_LOOP`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_event_loop_crashed(service: *const pc_service, event_loop: u64) -> pc_status {
    // SAFETY: as C is told.
    unsafe { fact(service, |service| service.event_loop_crashed(EventLoopId::from_bits(event_loop))) }
}
