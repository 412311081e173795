//! A browser of two event loops, made through the C interface.
#![allow(dead_code, unreachable_pub, reason = "every test file takes its part")]

use port_core_c::*;
use std::ptr;

pub const TAB: u64 = 7;
pub const DOCUMENT: pc_document = pc_document { high: 1, low: 2 };

/// A struct of zeros but for its size.
#[allow(clippy::cast_possible_truncation, reason = "structs are small")]
pub fn zeroed<T: Copy>() -> T {
    // SAFETY: the structs of the interface are numbers and pointers.
    let mut made: T = unsafe { std::mem::zeroed() };
    // SAFETY: each begins with its size.
    unsafe { (&raw mut made).cast::<u32>().write(size_of::<T>() as u32) };
    made
}

pub fn text(text: &str) -> pc_string {
    pc_string { data: text.as_ptr().cast(), length: text.len() }
}

#[track_caller]
pub fn ok(status: pc_status) {
    assert_eq!(status, PC_OK, "{}", text_of(status));
}

pub fn text_of(status: pc_status) -> &'static str {
    // SAFETY: it is never null, and lives for ever.
    unsafe { std::ffi::CStr::from_ptr(pc_status_text(status)) }.to_str().unwrap()
}

pub struct Small {
    pub service: *mut pc_service,
    pub extension: u64,
    pub here: *mut pc_event_loop,
    pub there: *mut pc_event_loop,
    pub background: u64,
    pub script: u64,
}

pub fn new_loop(service: *mut pc_service) -> *mut pc_event_loop {
    let mut event_loop = ptr::null_mut();
    // SAFETY: the service is there.
    ok(unsafe { pc_event_loop_new(service, ptr::null(), &raw mut event_loop) });
    event_loop
}

impl Small {
    pub fn new() -> Self {
        Self::with(ptr::null())
    }

    pub fn with(limits: *const pc_limits) -> Self {
        let (mut service, mut extension) = (ptr::null_mut(), 0);
        // SAFETY: what it is given is there.
        ok(unsafe { pc_service_new(ptr::null(), limits, 0, &raw mut service) });
        let id = text("greeter@example");
        // SAFETY: the same.
        ok(unsafe {
            pc_extension_loaded(service, id, PC_EXTERNAL_NOBODY, ptr::null(), 0, 0, &raw mut extension)
        });
        // SAFETY: the same.
        ok(unsafe { pc_tab_opened(service, TAB, 1) });
        // SAFETY: the same.
        ok(unsafe { pc_frame_attached(service, TAB, PC_TOP_FRAME, ptr::null(), DOCUMENT) });
        let (here, there) = (new_loop(service), new_loop(service));
        let mut small = Self { service, extension, here, there, background: 0, script: 0 };
        small.background = small.attach(here, PC_BACKGROUND, "ext://greeter/bg.js");
        small.script = small.attach(there, PC_CONTENT_SCRIPT, "https://example.org/");
        // SAFETY: the same.
        ok(unsafe { pc_set_listening(there, small.script, PC_LISTENS_FOR_PORTS, 0) });
        small
    }

    pub fn attach(&self, event_loop: *mut pc_event_loop, kind: u32, url: &str) -> u64 {
        let described = pc_context_description {
            kind,
            extension: self.extension,
            tab: TAB,
            document: DOCUMENT,
            url: text(url),
            origin: text("https://example.org"),
            ..zeroed()
        };
        let mut context = 0;
        // SAFETY: what it is given is there.
        ok(unsafe { pc_attach(event_loop, &raw const described, &raw mut context) });
        context
    }

    pub fn connect(&self, name: &str) -> u64 {
        let target = pc_tab_target { tab: TAB, name: text(name), ..zeroed() };
        let mut port = 0;
        // SAFETY: what it is given is there.
        ok(unsafe { pc_connect_tab(self.here, self.background, &raw const target, &raw mut port) });
        port
    }

    /// Opens a port, and gives both ends.
    pub fn open(&self) -> (u64, u64) {
        let port = self.connect("greetings");
        let event = next(self.there).unwrap();
        assert_eq!(event.kind, PC_CONNECT);
        (port, event.port)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // SAFETY: nothing else has freed them.
        let freed = unsafe { [pc_event_loop_free(self.here), pc_event_loop_free(self.there)] };
        // SAFETY: the same.
        unsafe { pc_service_free(self.service) };
        if !std::thread::panicking() {
            assert_eq!(freed, [PC_OK, PC_OK]);
        }
    }
}

pub fn post(event_loop: *mut pc_event_loop, port: u64, bytes: &[u8]) -> pc_status {
    // SAFETY: what it is given is there.
    unsafe { pc_post(event_loop, port, bytes.as_ptr(), bytes.len(), PC_JSON, 0) }
}

pub fn next(event_loop: *mut pc_event_loop) -> Option<pc_event> {
    let mut event: pc_event = zeroed();
    // SAFETY: what it is given is there.
    match unsafe { pc_next_event(event_loop, &raw mut event) } {
        PC_OK => Some(event),
        status => {
            assert_eq!(status, PC_NONE, "{}", text_of(status));
            None
        }
    }
}

pub fn payload(event: &pc_event) -> &[u8] {
    assert_eq!(event.kind, PC_MESSAGE);
    // SAFETY: the event is the last that was taken.
    unsafe { std::slice::from_raw_parts(event.payload, event.payload_length) }
}

pub fn string(text: pc_string) -> String {
    // SAFETY: the library says what it is.
    let bytes = unsafe { std::slice::from_raw_parts(text.data.cast::<u8>(), text.length) };
    String::from_utf8(bytes.to_vec()).unwrap()
}
