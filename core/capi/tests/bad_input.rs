//! What C may get wrong: a status where the library can tell, an abort in debug builds where it cannot otherwise.
#![allow(clippy::undocumented_unsafe_blocks, reason = "what they are given is wrong on purpose")]
#![allow(clippy::multiple_unsafe_ops_per_block, reason = "what they are given is wrong on purpose")]

mod small;

use port_core_c::*;
use small::*;
use std::ffi::c_void;
use std::ptr::{self, null, null_mut};
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};

#[test]
fn null_is_told() {
    let small = Small::new();
    let (here, service) = (small.here, small.service);
    let (mut number, mut event): (u64, pc_event) = (0, zeroed());
    let target: pc_tab_target = zeroed();
    let none = pc_owned_bytes { data: b"x".as_ptr(), length: 1, ..zeroed() };
    let no_wake: pc_waker = zeroed();
    let mut made = null_mut();
    let answers = unsafe {
        [
            pc_service_new(null(), null(), 0, null_mut()),
            pc_service_snapshot(service, null_mut()),
            pc_service_snapshot(null(), null_mut()),
            pc_tab_opened(null(), 1, 1),
            pc_extension_loaded(service, text("x"), 0, null(), 0, 0, null_mut()),
            pc_extension_loaded(service, text("x"), PC_EXTERNAL_LISTED, null(), 1, 0, &raw mut number),
            pc_event_loop_new(null(), null(), &raw mut made),
            pc_event_loop_new(service, null(), null_mut()),
            pc_event_loop_new(service, &raw const no_wake, &raw mut made),
            pc_event_loop_leave(null_mut()),
            pc_event_loop_take(null_mut()),
            pc_event_loop_id(here, null_mut()),
            pc_event_loop_is_gone(here, null_mut()),
            pc_event_loop_set_waker(here, &raw const no_wake),
            pc_attach(here, null(), &raw mut number),
            pc_ports(here, small.background, null_mut(), 1, &raw mut event.payload_length),
            pc_ports(here, small.background, null_mut(), 0, null_mut()),
            pc_context_of(here, 0, null_mut()),
            pc_context_data(here, 0, null_mut()),
            pc_connect_tab(here, small.background, null(), &raw mut number),
            pc_connect_tab(here, small.background, &raw const target, null_mut()),
            pc_connect_runtime(here, small.background, null(), &raw mut number),
            pc_post(null_mut(), 0, null(), 0, 0, 0),
            pc_post(here, 0, null(), 1, 0, 0),
            pc_post_owned(here, 0, &raw const none, 0, 0),
            pc_post_kept(here, 0, null(), 0, 0),
            pc_next_event(null_mut(), &raw mut event),
            pc_next_event(here, null_mut()),
            pc_wait(here, null_mut()),
            pc_payload_retain(here, null_mut()),
            pc_policies_of_chromium(null_mut()),
        ]
    };
    assert_eq!(answers, [PC_NULL; 31]);
    unsafe {
        pc_service_free(null_mut());
        pc_bytes_retain(null_mut());
        pc_bytes_release(null_mut());
        ok(pc_event_loop_free(null_mut()));
        assert!(pc_bytes_data(null()).is_null() && pc_bytes_length(null()) == 0);
    }
}

#[test]
fn sizes_are_checked() {
    let small = Small::new();
    let (mut event, mut port): (pc_event, u64) = (zeroed(), 0);
    for size in [0, 4, event.size - 1, 4097, u32::MAX] {
        event.size = size;
        assert_eq!(unsafe { pc_next_event(small.here, &raw mut event) }, PC_WRONG_SIZE);
        let target = pc_tab_target { size, ..zeroed() };
        let connected =
            unsafe { pc_connect_tab(small.here, small.background, &raw const target, &raw mut port) };
        assert_eq!(connected, PC_WRONG_SIZE);
    }
    // One of a later version: with zeros in its new fields it is taken, otherwise not.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Later {
        target: pc_tab_target,
        more: u64,
    }
    let mut later: Later = zeroed();
    later.target.tab = TAB;
    let connect = |later: &Later| unsafe {
        pc_connect_tab(
            small.here,
            small.background,
            (&raw const *later).cast(),
            &raw mut *(&raw const port).cast_mut(),
        )
    };
    ok(connect(&later));
    later.more = 1;
    assert_eq!(connect(&later), PC_WRONG_SIZE);
    let too_long = pc_string { data: b"x".as_ptr().cast(), length: usize::MAX };
    let target = pc_tab_target { name: too_long, ..zeroed() };
    let connected = unsafe { pc_connect_tab(small.here, small.background, &raw const target, &raw mut port) };
    assert_eq!(connected, PC_WRONG_SIZE);
}

#[test]
fn numbers_without_a_meaning_are_told() {
    let small = Small::new();
    let (here, service) = (small.here, small.service);
    let (port, _) = small.open();
    let (mut made, mut number) = (null_mut(), 0);
    let policies = pc_policies { opening_port: 3, ..zeroed() };
    let limits = pc_limits { window_messages: 1 << 32, ..zeroed() };
    let external = pc_limits { external_ports_per_context: 1 << 16, ..zeroed() };
    let target = pc_tab_target { kind: 2, ..zeroed() };
    let described: pc_context_description = zeroed();
    let answers = unsafe {
        [
            pc_service_new(&raw const policies, null(), 0, &raw mut made),
            pc_service_new(null(), &raw const limits, 0, &raw mut made),
            pc_service_new(null(), &raw const external, 0, &raw mut made),
            pc_service_new(null(), null(), 2, &raw mut made),
            pc_extension_loaded(service, text("x"), 0, null(), 0, 2, &raw mut number),
            pc_extension_loaded(service, text("x"), 3, null(), 0, 0, &raw mut number),
            pc_set_listening(small.there, small.script, 64, 0),
            pc_connect_tab(here, small.background, &raw const target, &raw mut number),
            pc_attach(here, &raw const described, &raw mut number),
            pc_post(here, port, b"x".as_ptr(), 1, 2, 0),
            pc_post(here, port, b"x".as_ptr(), 1, PC_OTHER_FORMAT + 256, 0),
        ]
    };
    assert_eq!(answers, [PC_UNKNOWN_VALUE; 11]);
    assert!(made.is_null());
}

#[test]
fn texts_are_checked() {
    let small = Small::new();
    let bytes = |bytes: &'static [u8]| pc_string { data: bytes.as_ptr().cast(), length: bytes.len() };
    let (mut instance, mut port) = (0, 0);
    let mut load = |id| unsafe {
        pc_extension_loaded(small.service, id, PC_EXTERNAL_NOBODY, null(), 0, 0, &raw mut instance)
    };
    assert_eq!(load(bytes(b"a\xFF")), PC_NOT_UTF8);
    assert_eq!(load(bytes(b"a\xE2\x82")), PC_NOT_UTF8);
    assert_eq!(load(bytes(b"a\xED\xA0\xBD")), PC_LONE_SURROGATE);
    assert_eq!(load(bytes(b"a\0b")), PC_CONTAINS_NUL);
    assert_eq!(load(pc_string { data: null(), length: 1 }), PC_NULL);
    ok(load(pc_string { data: null(), length: 0 }));
    let mut connect = |name| {
        let target = pc_tab_target { tab: TAB, name, ..zeroed() };
        unsafe { pc_connect_tab(small.here, small.background, &raw const target, &raw mut port) }
    };
    assert_eq!(connect(bytes(b"\xED\xB0\x80")), PC_LONE_SURROGATE);
    assert_eq!(connect(bytes(b"\xC0\x80")), PC_NOT_UTF8);
    ok(connect(bytes(b"\0")));
    for described in [
        pc_context_description { url: bytes(b"\0"), ..zeroed() },
        pc_context_description { origin: bytes(b"\0"), ..zeroed() },
    ] {
        let described = pc_context_description { kind: PC_PAGE, extension: small.extension, ..described };
        let mut context = 0;
        let attached = unsafe { pc_attach(small.here, &raw const described, &raw mut context) };
        assert_eq!(attached, PC_CONTAINS_NUL);
    }
}

#[test]
fn stale_and_foreign_ids_are_refused() {
    let small = Small::new();
    let (port, received) = small.open();
    let (here, there) = (small.here, small.there);
    ok(unsafe { pc_disconnect(here, port) });
    let mut number = 0;
    for stale in [port, received, 0, u64::MAX] {
        assert_eq!(post(here, stale, b"x"), PC_POST_DISCONNECTED);
        let answers = unsafe {
            [
                pc_disconnect(here, stale),
                pc_accept(here, stale),
                pc_refuse(here, stale),
                pc_is_open(here, stale),
                pc_set_port_data(here, stale, 1),
                pc_context_of(here, stale, &raw mut number),
            ]
        };
        assert_eq!((answers, number), ([PC_NONE; 6], 0));
    }
    ok(unsafe { pc_detach(there, small.script) });
    let target: pc_tab_target = zeroed();
    for stale in [small.script, small.background, 0, u64::MAX] {
        let answers = unsafe {
            [
                pc_detach(there, stale),
                pc_set_listening(there, stale, 0, 0),
                pc_set_context_data(there, stale, 1),
                pc_connect_tab(there, stale, &raw const target, &raw mut number) - 100,
            ]
        };
        assert_eq!(answers, [PC_CONTEXT_UNKNOWN_CONTEXT; 4]);
    }
    let described = pc_context_description { kind: PC_BACKGROUND, extension: u64::MAX, ..zeroed() };
    let attached = unsafe { pc_attach(here, &raw const described, &raw mut number) };
    assert_eq!(attached, PC_ATTACH_UNKNOWN_EXTENSION);
}

struct Anywhere(*mut pc_event_loop);
unsafe impl Send for Anywhere {}

#[test]
fn a_wrong_thread_is_told_and_changes_nothing() {
    let small = Small::new();
    let (port, _) = small.open();
    let event_loop = Anywhere(small.here);
    let elsewhere = move || {
        let event_loop = event_loop;
        let at = event_loop.0;
        let (mut event, mut id): (pc_event, u64) = (zeroed(), 0);
        unsafe {
            [
                pc_next_event(at, &raw mut event),
                pc_wait_for(at, 1, &raw mut event),
                post(at, port, b"x"),
                pc_event_loop_id(at, &raw mut id),
                pc_event_loop_leave(at),
                pc_event_loop_take(at),
                pc_event_loop_free(at),
            ]
        }
    };
    assert_eq!(std::thread::spawn(elsewhere).join().unwrap(), [PC_WRONG_THREAD; 7]);
    ok(unsafe { pc_event_loop_leave(small.here) });
    assert_eq!(post(small.here, port, b"x"), PC_WRONG_THREAD, "it is nobody's");
    ok(unsafe { pc_event_loop_take(small.here) });
    assert_eq!(unsafe { pc_event_loop_take(small.here) }, PC_WRONG_THREAD, "nobody left it again");
    ok(post(small.here, port, b"y"));
    assert_eq!(payload(&next(small.there).unwrap()), b"y");
}

static ANSWER: AtomicI32 = AtomicI32::new(-1);

unsafe extern "C" fn call_back(data: *mut c_void) {
    ANSWER.store(unsafe { pc_disconnect(data.cast(), 1) }, SeqCst);
}

unsafe extern "C" fn free_from_release(data: *mut c_void, _: *const u8, _: usize) {
    ANSWER.store(unsafe { pc_event_loop_free(data.cast()) }, SeqCst);
}

#[test]
fn a_callback_finds_the_loop_that_calls_it_in_use_and_others_not() {
    let small = Small::new();
    let (port, _) = small.open();
    while next(small.there).is_some() {}
    let waker = |of: *mut pc_event_loop| pc_waker { wake: Some(call_back), data: of.cast(), ..zeroed() };
    for (of, expected) in [(small.here, PC_IN_USE), (small.there, PC_NONE)] {
        ok(unsafe { pc_event_loop_set_waker(small.there, &waker(of)) });
        ok(post(small.here, port, b"x"));
        assert_eq!(ANSWER.swap(-1, SeqCst), expected);
        while next(small.there).is_some() {}
    }
    ok(unsafe { pc_event_loop_set_waker(small.there, null()) });
    // From its own end, too.
    let owned = pc_owned_bytes {
        data: [7; 500].as_ptr(),
        length: 500,
        release: Some(free_from_release),
        context: small.there.cast(),
        ..zeroed()
    };
    ok(unsafe { pc_post_owned(small.here, port, &raw const owned, PC_JSON, 0) });
    let mut small = small;
    ok(unsafe { pc_event_loop_free(small.there) });
    assert_eq!(ANSWER.swap(-1, SeqCst), PC_IN_USE);
    small.there = null_mut();
}

/// A handle that was freed is C's to know; debug builds look.
#[cfg(debug_assertions)]
#[test]
fn a_handle_that_was_freed_aborts_in_debug() {
    use std::process::Command;
    const CASES: [&str; 5] = ["release", "bytes", "event loop", "service", "no handle"];
    if let Ok(case) = std::env::var("FREED_HANDLE") {
        let small = Small::new();
        let mut text = null_mut();
        unsafe {
            ok(pc_service_snapshot(small.service, &raw mut text));
            match case.as_str() {
                "release" => {
                    pc_bytes_release(text);
                    pc_bytes_release(text);
                }
                "bytes" => {
                    pc_bytes_release(text);
                    pc_bytes_length(text);
                }
                "event loop" => {
                    ok(pc_event_loop_free(small.here));
                    pc_disconnect(small.here, 0);
                }
                "service" => {
                    pc_service_free(small.service);
                    pc_service_free(small.service);
                }
                _ => {
                    pc_disconnect(ptr::from_ref(&small).cast_mut().cast(), 0);
                }
            }
        }
        // It did not abort.
        std::process::exit(0);
    }
    for case in CASES {
        let ran = Command::new(std::env::current_exe().unwrap())
            .args(["a_handle_that_was_freed_aborts_in_debug", "--exact", "--nocapture"])
            .env("FREED_HANDLE", case)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(!ran.status.success() && said.contains("is used or freed that is none"), "{case}: {said}");
    }
}
