//! What the calls do, when they are called as they are meant to be.
#![allow(clippy::undocumented_unsafe_blocks, reason = "each is a call of the interface with what is there")]
#![allow(
    clippy::multiple_unsafe_ops_per_block,
    reason = "each is a call of the interface with what is there"
)]

mod small;

use port_core::{AttachError, ConnectError, ContextError, DisconnectReason, FactError, PostErrorKind};
use port_core_c::*;
use small::*;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

#[test]
fn a_connection_carries_messages_both_ways_and_ends() {
    let small = Small::new();
    let (here, there) = (small.here, small.there);
    let mut id = 0;
    ok(unsafe { pc_event_loop_id(here, &raw mut id) });
    assert_eq!(port_core::ContextId::from_bits(small.background).event_loop().to_bits(), id);
    ok(unsafe { pc_set_context_data(there, small.script, 11) });

    let port = small.connect("a\0b");
    let event = next(there).unwrap();
    assert_eq!((event.kind, event.context, event.connect_kind), (PC_CONNECT, small.script, PC_PORT));
    assert_eq!((event.context_data, event.port_data), (11, 0));
    assert_eq!(string(event.name), "a\0b");
    let mut sender: pc_sender = zeroed();
    ok(unsafe { pc_opener(there, &raw mut sender) });
    assert_eq!((sender.kind, sender.has_tab, sender.has_document), (PC_BACKGROUND, 0, 0));
    assert_eq!((sender.extension, sender.context), (small.extension, small.background));
    assert_eq!(
        (string(sender.extension_id), string(sender.url)),
        ("greeter@example".into(), "ext://greeter/bg.js".into())
    );
    assert_eq!(sender.lifecycle, PC_ACTIVE);
    let received = event.port;

    ok(unsafe { pc_set_port_data(there, received, 22) });
    ok(unsafe { pc_post(here, port, b"{}".as_ptr(), 2, PC_OTHER_FORMAT + 9, 1) });
    let event = next(there).unwrap();
    assert_eq!((event.port, event.context_data, event.port_data), (received, 11, 22));
    assert_eq!((event.format, event.user_activation), (PC_OTHER_FORMAT + 9, 1));
    assert_eq!(payload(&event), b"{}");
    ok(unsafe { pc_post(there, received, ptr::null(), 0, PC_STRUCTURED_CLONE, 0) });
    let event = next(here).unwrap();
    assert_eq!((event.port, event.format, event.payload_length), (port, PC_STRUCTURED_CLONE, 0));

    let (mut data, mut count, mut ports) = (0, 0, [0; 2]);
    ok(unsafe { pc_port_data(there, received, &raw mut data) });
    assert_eq!(data, 22);
    ok(unsafe { pc_context_data(there, small.script, &raw mut data) });
    assert_eq!(data, 11);
    ok(unsafe { pc_ports(there, small.script, ports.as_mut_ptr(), 2, &raw mut count) });
    assert_eq!((count, ports), (1, [received, 0]));
    ok(unsafe { pc_context_of(there, received, &raw mut data) });
    assert_eq!(data, small.script);

    ok(unsafe { pc_disconnect(here, port) });
    assert_eq!(unsafe { pc_disconnect(here, port) }, PC_NONE);
    let event = next(there).unwrap();
    assert_eq!((event.kind, event.reason, event.port_data), (PC_DISCONNECT, PC_REASON_DISCONNECTED, 22));
    assert_eq!(unsafe { pc_is_open(there, received) }, PC_NONE);
    assert_eq!(unsafe { pc_context_of(there, received, &raw mut data) }, PC_NONE);
    assert!(next(there).is_none() && next(here).is_none());
}

#[test]
fn a_fact_ends_a_context_and_names_its_ports() {
    let small = Small::new();
    let (port, received) = small.open();
    ok(unsafe { pc_set_port_data(small.there, received, 5) });
    ok(unsafe { pc_frame_navigated(small.service, TAB, PC_TOP_FRAME, pc_document { high: 0, low: 3 }) });
    let event = next(small.there).unwrap();
    assert_eq!((event.kind, event.context, event.port), (PC_CONTEXT_ENDED, small.script, 0));
    let ended = unsafe { std::slice::from_raw_parts(event.ended_ports, event.ended_port_count) };
    assert_eq!(ended.iter().map(|ended| (ended.port, ended.data)).collect::<Vec<_>>(), [(received, 5)]);
    let event = next(small.here).unwrap();
    assert_eq!((event.kind, event.port, event.reason), (PC_DISCONNECT, port, PC_REASON_NAVIGATED));
}

#[test]
fn facts_are_the_cores() {
    let small = Small::new();
    let service = small.service;
    let document = |low| pc_document { high: 9, low };
    let mut now = 0;
    unsafe {
        assert_eq!(pc_tab_opened(service, TAB, 1), PC_FACT_TAB_EXISTS);
        ok(pc_tab_moved(service, TAB, 2));
        ok(pc_frame_attached(service, TAB, 1, &PC_TOP_FRAME, document(1)));
        assert_eq!(pc_frame_attached(service, TAB, 1, &PC_TOP_FRAME, document(2)), PC_FACT_FRAME_EXISTS);
        ok(pc_frame_removed(service, TAB, 1));
        ok(pc_document_cached(service, DOCUMENT));
        ok(pc_frame_navigated(service, TAB, PC_TOP_FRAME, document(3)));
        ok(pc_document_restored(service, DOCUMENT));
        assert_eq!(pc_document_evicted(service, DOCUMENT), PC_FACT_UNKNOWN_DOCUMENT);
        ok(pc_tab_discarded(service, TAB, 99, &raw mut now));
        assert_eq!(now, TAB);
        ok(pc_tab_crashed(service, TAB));
        ok(pc_tab_closed(service, TAB));
        assert_eq!(pc_tab_closed(service, TAB), PC_FACT_UNKNOWN_TAB);
        ok(pc_extension_unloaded(service, small.extension));
        assert_eq!(pc_extension_unloaded(service, small.extension), PC_FACT_UNKNOWN_EXTENSION);
        let mut id = 0;
        ok(pc_event_loop_id(small.there, &raw mut id));
        ok(pc_event_loop_gone(service, id));
        assert_eq!(pc_event_loop_gone(service, id), PC_FACT_UNKNOWN_EVENT_LOOP);
        let mut gone = 0;
        ok(pc_event_loop_is_gone(small.there, &raw mut gone));
        assert_eq!(gone, 1);
        ok(pc_event_loop_is_gone(small.here, &raw mut gone));
        assert_eq!(gone, 0);
    }
}

#[test]
fn another_extension_connects_where_it_is_listed() {
    let small = Small::new();
    let (mut other, listed) = (0, [text("nobody@example"), text("greeter@example")]);
    let id = text("other@example");
    ok(unsafe {
        pc_extension_loaded(small.service, id, PC_EXTERNAL_LISTED, listed.as_ptr(), 2, 0, &raw mut other)
    });
    let described = pc_context_description { kind: PC_PAGE, extension: other, ..zeroed() };
    let mut page = 0;
    ok(unsafe { pc_attach(small.there, &raw const described, &raw mut page) });
    ok(unsafe { pc_set_listening(small.there, page, PC_LISTENS_FOR_EXTERNAL_ONE_OFF, 0) });
    let target = pc_runtime_target { kind: PC_ONE_OFF, extension: id, ..zeroed() };
    let mut port = 0;
    ok(unsafe { pc_connect_runtime(small.here, small.background, &raw const target, &raw mut port) });
    let event = next(small.there).unwrap();
    assert_eq!((event.context, event.connect_kind), (page, PC_ONE_OFF));
}

#[test]
fn a_background_is_started_on_demand() {
    let small = Small::new();
    let (service, here) = (small.service, small.here);
    let (mut sleeper, mut wanted, woken) = (0, 0, Woken::default());
    let id = text("sleeper@example");
    ok(unsafe {
        pc_extension_loaded(service, id, 0, ptr::null(), 0, PC_BACKGROUND_ON_DEMAND, &raw mut sleeper)
    });
    let waker = pc_waker { wake: Some(wake), data: (&raw const woken).cast_mut().cast(), ..zeroed() };
    ok(unsafe { pc_set_background_waker(service, &waker) });
    let attach = |kind| {
        let described = pc_context_description { kind, extension: sleeper, ..zeroed() };
        let mut context = 0;
        ok(unsafe { pc_attach(here, &raw const described, &raw mut context) });
        context
    };
    let (page, target) = (attach(PC_PAGE), zeroed::<pc_runtime_target>());
    assert_eq!(unsafe { pc_next_wanted_background(service, &raw mut wanted) }, PC_NONE);
    let connect = || {
        let mut port = 0;
        ok(unsafe { pc_connect_runtime(here, page, &raw const target, &raw mut port) });
        port
    };
    // Nobody comes.
    connect();
    assert_eq!(woken.wakes.load(SeqCst), 1);
    ok(unsafe { pc_next_wanted_background(service, &raw mut wanted) });
    assert_eq!((wanted, unsafe { pc_give_up_background(service, sleeper, 1) }), (sleeper, PC_UNKNOWN_VALUE));
    ok(unsafe { pc_give_up_background(service, sleeper, PC_REASON_BACKGROUND_NOT_STARTED) });
    assert_eq!(next(here).unwrap().reason, PC_REASON_BACKGROUND_NOT_STARTED);
    // It comes, and is ready.
    let port = connect();
    ok(post(here, port, b"waited"));
    ok(unsafe { pc_next_wanted_background(service, &raw mut wanted) });
    let background = attach(PC_BACKGROUND);
    ok(unsafe { pc_set_listening(here, background, PC_LISTENS_FOR_PORTS | PC_IS_READY, 0) });
    let event = next(here).unwrap();
    assert_eq!((event.kind, event.context), (PC_CONNECT, background));
    assert_eq!(payload(&next(here).unwrap()), b"waited");
    let (mut uses, mut count, mut active) =
        (0, 0, pc_active_port { port: 0, last_use: 0, kind: 9, opened: 9 });
    ok(unsafe { pc_why_awake(here, background, &raw mut uses, &raw mut active, 1, &raw mut count) });
    assert_eq!((uses, count, active.port, active.kind, active.opened), (2, 1, event.port, PC_PORT, 0));
    assert_eq!(
        unsafe { pc_why_awake(here, 0, &raw mut uses, ptr::null_mut(), 0, &raw mut count) },
        PC_CONTEXT_UNKNOWN_CONTEXT
    );
    // It is stopped.
    ok(unsafe { pc_stop_background(service, sleeper) });
    let reasons = [next(here).unwrap(), next(here).unwrap()].map(|event| event.reason);
    assert_eq!(reasons, [PC_REASON_BACKGROUND_STOPPED; 2]);
}

#[test]
fn a_connect_that_nobody_listens_for_says_so() {
    let small = Small::new();
    ok(unsafe { pc_set_listening(small.there, small.script, 0, 0) });
    small.connect("x");
    assert!(next(small.there).is_none());
    let event = next(small.here).unwrap();
    assert_eq!((event.reason, event.not_listening), (PC_REASON_NO_RECEIVER, 1));
}

static RELEASED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn release(context: *mut c_void, data: *const u8, length: usize) {
    RELEASED.fetch_add(1, SeqCst);
    drop(unsafe { Vec::from_raw_parts(data.cast_mut(), length, context.addr()) });
}

fn owned(bytes: Vec<u8>) -> pc_owned_bytes {
    let bytes = std::mem::ManuallyDrop::new(bytes);
    pc_owned_bytes {
        data: bytes.as_ptr(),
        length: bytes.len(),
        release: Some(release),
        context: ptr::without_provenance_mut(bytes.capacity()),
        ..zeroed()
    }
}

#[test]
fn owned_bytes_are_not_copied_released_once_and_given_back_when_refused() {
    let small = Small::new();
    let (port, received) = small.open();
    let long = owned(vec![7; 1_000]);
    ok(unsafe { pc_post_owned(small.here, port, &raw const long, PC_JSON, 0) });
    let event = next(small.there).unwrap();
    assert_eq!((event.payload, event.payload_length), (long.data, 1_000));
    // Kept, and passed on, with two references.
    let mut kept = ptr::null_mut();
    ok(unsafe { pc_payload_retain(small.there, &raw mut kept) });
    ok(unsafe { pc_post_kept(small.there, received, kept, PC_JSON, 0) });
    unsafe { pc_bytes_retain(kept) };
    unsafe { pc_bytes_release(kept) };
    assert!(next(small.there).is_none());
    assert_eq!((unsafe { pc_bytes_data(kept) }, unsafe { pc_bytes_length(kept) }), (long.data, 1_000));
    unsafe { pc_bytes_release(kept) };
    assert_eq!(RELEASED.load(SeqCst), 0);
    let event = next(small.here).unwrap();
    assert_eq!(event.payload, long.data);
    assert!(next(small.here).is_none());
    assert_eq!(RELEASED.swap(0, SeqCst), 1);

    // A short one is released by the post that copied it.
    let short = owned(vec![7; 3]);
    ok(unsafe { pc_post_owned(small.here, port, &raw const short, PC_JSON, 0) });
    assert_eq!(RELEASED.swap(0, SeqCst), 1);

    for length in [3, 1_000] {
        let refused = owned(vec![7; length]);
        let status = unsafe { pc_post_owned(small.here, port + 1, &raw const refused, PC_JSON, 0) };
        assert_eq!((status, RELEASED.load(SeqCst)), (PC_POST_DISCONNECTED, 0));
        unsafe { release(refused.context, refused.data, refused.length) };
        assert_eq!(RELEASED.swap(0, SeqCst), 1);
    }
}

#[test]
fn a_short_payload_is_kept_by_a_copy() {
    let small = Small::new();
    let (port, _) = small.open();
    ok(post(small.here, port, b"short"));
    next(small.there).unwrap();
    let (mut kept, mut nothing) = (ptr::null_mut(), ptr::null_mut());
    ok(unsafe { pc_payload_retain(small.there, &raw mut kept) });
    assert!(next(small.there).is_none());
    assert_eq!(unsafe { pc_payload_retain(small.there, &raw mut nothing) }, PC_NONE);
    assert!(nothing.is_null());
    let bytes = unsafe { std::slice::from_raw_parts(pc_bytes_data(kept), pc_bytes_length(kept)) };
    assert_eq!(bytes, b"short");
    unsafe { pc_bytes_release(kept) };
}

#[test]
fn snapshots_are_texts() {
    let small = Small::new();
    small.connect("greetings");
    let mut text = ptr::null_mut();
    for snapshot in [true, false] {
        ok(if snapshot {
            unsafe { pc_event_loop_snapshot(small.here, &raw mut text) }
        } else {
            unsafe { pc_service_snapshot(small.service, &raw mut text) }
        });
        let shown = unsafe { std::slice::from_raw_parts(pc_bytes_data(text), pc_bytes_length(text)) };
        assert!(str::from_utf8(shown).unwrap().contains(if snapshot { "greetings" } else { "TabSnapshot" }));
        unsafe { pc_bytes_release(text) };
    }
}

#[derive(Default)]
struct Woken {
    wakes: AtomicUsize,
    drops: AtomicUsize,
}

unsafe extern "C" fn wake(data: *mut c_void) {
    unsafe { (*data.cast::<Woken>()).wakes.fetch_add(1, SeqCst) };
}

unsafe extern "C" fn dropped(data: *mut c_void) {
    unsafe { (*data.cast::<Woken>()).drops.fetch_add(1, SeqCst) };
}

#[test]
fn a_waker_is_called_once_for_each_time_that_there_was_nothing_and_dropped_once() {
    let small = Small::new();
    let (first, second) = (Woken::default(), Woken::default());
    let waker = |woken: &Woken| pc_waker {
        wake: Some(wake),
        drop: Some(dropped),
        data: (&raw const *woken).cast_mut().cast(),
        ..zeroed()
    };
    let count = |woken: &Woken| (woken.wakes.load(SeqCst), woken.drops.load(SeqCst));
    ok(unsafe { pc_event_loop_set_waker(small.there, &waker(&first)) });
    let (port, _) = small.open();
    assert_eq!(count(&first), (1, 0));
    ok(post(small.here, port, b"1"));
    assert_eq!(count(&first), (1, 0), "not armed yet");
    while next(small.there).is_some() {}
    ok(post(small.here, port, b"2"));
    ok(post(small.here, port, b"3"));
    assert_eq!(count(&first), (2, 0));
    ok(unsafe { pc_event_loop_set_waker(small.there, &waker(&second)) });
    assert_eq!((count(&first), count(&second)), ((2, 1), (1, 0)));
    while next(small.there).is_some() {}
    ok(unsafe { pc_event_loop_set_waker(small.there, ptr::null()) });
    assert_eq!(count(&second), (1, 1));
    // With its loop.
    let mut event_loop = ptr::null_mut();
    ok(unsafe { pc_event_loop_new(small.service, &waker(&first), &raw mut event_loop) });
    ok(unsafe { pc_event_loop_free(event_loop) });
    assert_eq!(count(&first).1, 2);
}

#[test]
fn a_thread_waits_for_what_another_does_and_takes_a_loop_that_was_left_to_it() {
    struct Left(*mut pc_event_loop);
    unsafe impl Send for Left {}
    let small = Small::new();
    let port = small.connect("x");
    ok(unsafe { pc_event_loop_leave(small.there) });
    let left = Left(small.there);
    let waits = std::thread::spawn(move || {
        let left = left;
        ok(unsafe { pc_event_loop_take(left.0) });
        ok(unsafe { pc_event_loop_set_looks_before_sleep(left.0, 0) });
        let mut event: pc_event = zeroed();
        ok(unsafe { pc_wait(left.0, &raw mut event) });
        assert_eq!(event.kind, PC_CONNECT);
        let received = event.port;
        assert_eq!(unsafe { pc_wait_for(left.0, 1, &raw mut event) }, PC_NONE);
        ok(post(left.0, received, b"heard"));
        ok(unsafe { pc_event_loop_leave(left.0) });
    });
    let mut event: pc_event = zeroed();
    ok(unsafe { pc_wait(small.here, &raw mut event) });
    assert_eq!((event.port, payload(&event)), (port, &b"heard"[..]));
    waits.join().unwrap();
    ok(unsafe { pc_event_loop_take(small.there) });
}

#[test]
fn a_service_is_used_up_by_its_loops_alone() {
    let small = Small::new();
    let mut freed_early = ptr::null_mut();
    ok(unsafe { pc_service_new(ptr::null(), ptr::null(), PC_WITHOUT_MEMBARRIER, &raw mut freed_early) });
    let event_loop = new_loop(freed_early);
    unsafe { pc_service_free(freed_early) };
    assert!(next(event_loop).is_none());
    ok(unsafe { pc_event_loop_free(event_loop) });
    drop(small);
}

#[test]
fn policies_and_limits_say_what_the_cores_do() {
    let mut policies: pc_policies = zeroed();
    for fill in [pc_policies_of_chromium, pc_policies_of_firefox] {
        ok(unsafe { fill(&raw mut policies) });
        let mut service = ptr::null_mut();
        ok(unsafe { pc_service_new(&raw const policies, ptr::null(), 0, &raw mut service) });
        // A tab that is discarded shows which it is.
        ok(unsafe { pc_tab_opened(service, TAB, 1) });
        let mut now = 0;
        ok(unsafe { pc_tab_discarded(service, TAB, 8, &raw mut now) });
        let takes_new_id = policies.discarded_tab == PC_DISCARDED_TAKES_NEW_ID;
        assert_eq!(now, if takes_new_id { 8 } else { TAB });
        unsafe { pc_service_free(service) };
    }
    assert_eq!(policies.receiver_lost, PC_LOST_ENDS_FOR_ALL);
    let limits = pc_limits { window_messages: 1, message_bytes: 4, name_bytes: 9, ..zeroed() };
    let small = Small::with(&raw const limits);
    let (target, mut refused) = (pc_tab_target { tab: TAB, name: text("0123456789"), ..zeroed() }, 0);
    let connected =
        unsafe { pc_connect_tab(small.here, small.background, &raw const target, &raw mut refused) };
    assert_eq!(connected, PC_CONNECT_NAME_TOO_LONG);
    let (port, _) = small.open();
    assert_eq!(post(small.here, port, b"12345"), PC_POST_TOO_LARGE);
    ok(post(small.here, port, b"1234"));
    assert_eq!(post(small.here, port, b"1234"), PC_POST_WINDOW_FULL);
    while next(small.there).is_some() {}
    assert_eq!(next(small.here).unwrap().kind, PC_ROOM);
}

/// Every limit and policy that the core has can be set through C. What is named here has a field there.
#[test]
fn no_limit_and_no_policy_is_unknown_here() {
    let fields = |shown: String| -> Vec<String> {
        let lines = shown.lines().filter(|line| line.starts_with("    ") && !line.starts_with("     "));
        lines.filter_map(|line| Some(line.trim_start().split_once(':')?.0.to_owned())).collect()
    };
    assert_eq!(
        fields(format!("{:#?}", port_core::Limits::default())),
        [
            "message_bytes",
            "window_messages",
            "window_bytes",
            "lane_records",
            "lane_bytes",
            "service_bytes",
            "extension_bytes",
            "ports_per_context",
            "external_ports_per_context",
            "description_bytes",
            "name_bytes",
            "names_per_context",
            "unanswered_connects",
        ]
    );
    assert_eq!(
        fields(format!("{:#?}", port_core::Policies::default())),
        [
            "receiver_disconnects",
            "receiver_lost",
            "back_forward_cache",
            "document_target",
            "opening_port",
            "fan_out_order",
            "connect_listeners",
            "sender",
            "discarded_tab",
        ]
    );
}

/// Each number of the core's with its constant here.
macro_rules! numbers {
    ($name:ident $($variant:ident = $constant:ident),+ $(,)?) => {
        let numbers: Vec<_> = $name::ALL.iter().map(|one| (pc_status::from(one.code()), one.text())).collect();
        assert_eq!(numbers, [$(($constant, $name::$variant.text())),+]);
        for (status, text) in numbers {
            assert_eq!(text_of(status), text);
        }
    };
}

#[test]
fn every_number_of_the_core_has_a_name_and_every_status_a_text() {
    numbers!(FactError UnknownTab = PC_FACT_UNKNOWN_TAB, TabExists = PC_FACT_TAB_EXISTS,
        UnknownFrame = PC_FACT_UNKNOWN_FRAME, FrameExists = PC_FACT_FRAME_EXISTS,
        UnknownDocument = PC_FACT_UNKNOWN_DOCUMENT, DocumentExists = PC_FACT_DOCUMENT_EXISTS,
        UnknownExtension = PC_FACT_UNKNOWN_EXTENSION, ExtensionExists = PC_FACT_EXTENSION_EXISTS,
        UnknownEventLoop = PC_FACT_UNKNOWN_EVENT_LOOP);
    numbers!(AttachError UnknownExtension = PC_ATTACH_UNKNOWN_EXTENSION,
        UnknownDocument = PC_ATTACH_UNKNOWN_DOCUMENT, EventLoopGone = PC_ATTACH_EVENT_LOOP_GONE,
        TooManyContexts = PC_ATTACH_TOO_MANY_CONTEXTS,
        DescriptionTooLong = PC_ATTACH_DESCRIPTION_TOO_LONG);
    numbers!(ContextError UnknownContext = PC_CONTEXT_UNKNOWN_CONTEXT, Gone = PC_CONTEXT_GONE);
    numbers!(ConnectError UnknownContext = PC_CONNECT_UNKNOWN_CONTEXT, Gone = PC_CONNECT_GONE,
        Cached = PC_CONNECT_CACHED, NotAllowed = PC_CONNECT_NOT_ALLOWED,
        TooManyPorts = PC_CONNECT_TOO_MANY_PORTS, Busy = PC_CONNECT_BUSY,
        NameTooLong = PC_CONNECT_NAME_TOO_LONG);
    numbers!(PostErrorKind Disconnected = PC_POST_DISCONNECTED, Gone = PC_POST_GONE,
        TooLarge = PC_POST_TOO_LARGE, WindowFull = PC_POST_WINDOW_FULL, Busy = PC_POST_BUSY);
    numbers!(DisconnectReason Disconnected = PC_REASON_DISCONNECTED, SiblingEnded = PC_REASON_SIBLING_ENDED,
        NoReceiver = PC_REASON_NO_RECEIVER, LimitReached = PC_REASON_LIMIT_REACHED,
        ContextDetached = PC_REASON_CONTEXT_DETACHED, FrameRemoved = PC_REASON_FRAME_REMOVED,
        Navigated = PC_REASON_NAVIGATED, TabClosed = PC_REASON_TAB_CLOSED,
        TabDiscarded = PC_REASON_TAB_DISCARDED, TabCrashed = PC_REASON_TAB_CRASHED,
        BackForwardCache = PC_REASON_BACK_FORWARD_CACHE, ExtensionUnloaded = PC_REASON_EXTENSION_UNLOADED,
        EventLoopGone = PC_REASON_EVENT_LOOP_GONE, BackgroundStopped = PC_REASON_BACKGROUND_STOPPED,
        BackgroundNotStarted = PC_REASON_BACKGROUND_NOT_STARTED,
        ProcessCrashed = PC_REASON_PROCESS_CRASHED);
    let own = (PC_OK..=PC_NONE).chain(PC_NULL..=PC_PANICKED);
    assert!(own.into_iter().all(|status| text_of(status) != "unknown status"));
    assert_eq!(
        (text_of(2), text_of(-1), text_of(999)),
        ("unknown status", "unknown status", "unknown status")
    );
    assert_eq!(pc_abi_version(), PC_ABI_VERSION);
}
