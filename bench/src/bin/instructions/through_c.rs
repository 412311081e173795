//! The same operations through the C interface. The functions are called by address, as from a library, so that
//! nothing of them is inlined here.

use crate::work::{BURST, OPERATIONS, Part, WARM_UP, count_if};
use port_core_c::{
    PC_BACKGROUND, PC_CONTENT_SCRIPT, PC_EXTERNAL_NOBODY, PC_JSON, PC_LISTENS_FOR_PORTS, PC_OK, PC_TOP_FRAME,
    pc_attach, pc_connect_tab, pc_context_description, pc_disconnect, pc_document, pc_event, pc_event_loop,
    pc_event_loop_new, pc_extension_loaded, pc_frame_attached, pc_next_event, pc_next_event_unarmed, pc_post,
    pc_service, pc_service_new, pc_set_listening, pc_string, pc_tab_opened, pc_tab_target,
};
use std::hint::black_box;
use std::ptr::{null, null_mut};

const TAB: u64 = 7;

/// Makes a struct of zeros but for its size.
fn sized<T: Copy>() -> T {
    // SAFETY: the structs of the interface are numbers and pointers.
    let mut made: T = unsafe { std::mem::zeroed() };
    let size = u32::try_from(size_of::<T>()).expect("structs are small");
    // SAFETY: each begins with its size.
    unsafe { (&raw mut made).cast::<u32>().write(size) };
    made
}

fn text(text: &'static str) -> pc_string {
    pc_string { data: text.as_ptr().cast(), length: text.len() }
}

/// A background on one event loop, and a content script on another.
struct Scene {
    here: *mut pc_event_loop,
    there: *mut pc_event_loop,
    background: u64,
}

impl Scene {
    fn new() -> Self {
        let (mut service, mut extension): (*mut pc_service, u64) = (null_mut(), 0);
        let document = pc_document { high: 0, low: 1 };
        let id = text("greeter@example");
        // SAFETY: what the calls are given is there.
        let made = unsafe { pc_service_new(null(), null(), 0, &raw mut service) };
        // SAFETY: the same.
        let loaded =
            unsafe { pc_extension_loaded(service, id, PC_EXTERNAL_NOBODY, null(), 0, 0, &raw mut extension) };
        // SAFETY: the same.
        let opened = unsafe { pc_tab_opened(service, TAB, 1) };
        // SAFETY: the same.
        let attached = unsafe { pc_frame_attached(service, TAB, PC_TOP_FRAME, null(), document) };
        assert_eq!([made, loaded, opened, attached], [PC_OK; 4]);
        let event_loop = || {
            let mut event_loop = null_mut();
            // SAFETY: the same.
            assert_eq!(unsafe { pc_event_loop_new(service, null(), &raw mut event_loop) }, PC_OK);
            event_loop
        };
        let attach = |event_loop, kind| {
            let (url, origin) = (text("https://example.org/a"), text("https://example.org"));
            let described =
                pc_context_description { kind, extension, tab: TAB, document, url, origin, ..sized() };
            let mut context = 0;
            // SAFETY: the same.
            assert_eq!(unsafe { pc_attach(event_loop, &raw const described, &raw mut context) }, PC_OK);
            context
        };
        let (here, there) = (event_loop(), event_loop());
        let background = attach(here, PC_BACKGROUND);
        let script = attach(there, PC_CONTENT_SCRIPT);
        // SAFETY: the same.
        assert_eq!(unsafe { pc_set_listening(there, script, PC_LISTENS_FOR_PORTS, 0) }, PC_OK);
        Self { here, there, background }
    }

    fn connect(&self) -> u64 {
        let target = pc_tab_target { tab: TAB, name: text("bench"), ..sized() };
        let mut port = 0;
        let connect = black_box(pc_connect_tab as unsafe extern "C" fn(_, _, _, _) -> _);
        // SAFETY: what the call is given is there.
        assert_eq!(unsafe { connect(self.here, self.background, &raw const target, &raw mut port) }, PC_OK);
        port
    }

    fn post(&self, port: u64, bytes: &[u8]) {
        let post = black_box(pc_post as unsafe extern "C" fn(_, _, _, _, u32, u32) -> _);
        // SAFETY: the same.
        assert_eq!(unsafe { post(self.here, port, bytes.as_ptr(), bytes.len(), PC_JSON, 0) }, PC_OK);
    }

    fn disconnect(&self, port: u64) {
        let disconnect = black_box(pc_disconnect as unsafe extern "C" fn(_, _) -> _);
        // SAFETY: the same.
        assert_eq!(unsafe { disconnect(self.here, port) }, PC_OK);
    }
}

/// Takes all events without falling asleep, and looks at them.
fn take(event_loop: *mut pc_event_loop) {
    let next = black_box(pc_next_event_unarmed as unsafe extern "C" fn(_, _) -> _);
    let mut event: pc_event = sized();
    // SAFETY: what the call is given is there.
    while unsafe { next(event_loop, &raw mut event) } == PC_OK {
        if event.payload_length > 0 {
            // SAFETY: the event is the last one.
            black_box(unsafe { event.payload.read() });
        }
    }
}

pub(crate) fn messages(part: Part) {
    let scene = Scene::new();
    let port = scene.connect();
    let mut event: pc_event = sized();
    for event_loop in [scene.there, scene.here] {
        // SAFETY: what the call is given is there.
        while unsafe { pc_next_event(event_loop, &raw mut event) } == PC_OK {}
    }
    for round in 0..WARM_UP + OPERATIONS / BURST {
        let counts = |this| round >= WARM_UP && part == this;
        count_if(counts(Part::Post), || {
            for _ in 0..BURST {
                scene.post(port, black_box(&[7; 100]));
            }
        });
        count_if(counts(Part::Event), || take(scene.there));
        take(scene.here);
    }
}

pub(crate) fn connects(part: Part) {
    let scene = Scene::new();
    let mut ports = Vec::with_capacity(BURST as usize);
    for round in 0..WARM_UP + OPERATIONS / BURST {
        let counts = |this| round >= WARM_UP && part == this;
        count_if(counts(Part::Post), || {
            ports.extend((0..BURST).map(|_| scene.connect()));
            take(scene.there);
            take(scene.here);
        });
        count_if(counts(Part::Event), || {
            ports.drain(..).for_each(|port| scene.disconnect(port));
            take(scene.there);
        });
    }
}
