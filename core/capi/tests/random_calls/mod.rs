//! Calls of the C interface that any bytes are, with arguments that are right, wrong, stale or torn. What C must keep to is kept to:
//! pointers are null or point to what they say, and no handle is used after it was freed.
#![allow(dead_code, unreachable_pub, reason = "a module of a test and of a fuzzer")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each is a call of the interface, which is what is tried"
)]
#![allow(
    clippy::multiple_unsafe_ops_per_block,
    reason = "each is a call of the interface, which is what is tried"
)]

use port_core_c::*;
use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::{CStr, c_void};
use std::ptr::{null, null_mut};

/// What is drawn from the input; zeros at its end.
struct Draw<'a>(&'a [u8]);

impl<'a> Draw<'a> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(self.below(most + 1).min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let at = self.below(from.len().clamp(1, 256));
        from.get(at).copied()
    }
}

/// What was handed over, and what came back of it. The interface calls back on this thread alone, for there is no other.
#[derive(Default)]
struct Books {
    wakers: Cell<usize>,
    dropped: Cell<usize>,
    posted: Cell<usize>,
    released: Cell<usize>,
}

unsafe extern "C" fn wake(books: *mut c_void) {
    assert!(!books.is_null());
}

unsafe extern "C" fn drop_waker(books: *mut c_void) {
    let dropped = unsafe { &(*books.cast::<Books>()).dropped };
    dropped.set(dropped.get() + 1);
}

unsafe extern "C" fn release(books: *mut c_void, data: *const u8, length: usize) {
    let released = unsafe { &(*books.cast::<Books>()).released };
    released.set(released.get() + 1);
    drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(data.cast_mut(), length)) });
}

/// Kinds of ids, which are also used where another is meant.
const EXTENSION: usize = 0;
const EVENT_LOOP: usize = 1;
const CONTEXT: usize = 2;
const PORT: usize = 3;

const TEXTS: [&[u8]; 7] = [
    b"a",
    b"b",
    b"",
    b"greetings",
    b"a name that is longer than twenty-three bytes",
    "\u{e9}\u{1f600}".as_bytes(),
    b"\0",
];

struct Calls<'a> {
    draw: Draw<'a>,
    books: &'a Books,
    services: Vec<*mut pc_service>,
    loops: Vec<*mut pc_event_loop>,
    kept: Vec<*mut pc_bytes>,
    /// Ids by kind.
    ids: [Vec<u64>; 4],
    /// Whose a context or a port is.
    homes: HashMap<u64, *mut pc_event_loop>,
    /// Calls that succeeded, and events that were handed out.
    done: Done,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    pub calls: usize,
    pub events: usize,
}

/// Makes the calls; gives what came of them.
///
/// # Panics
///
/// When an answer is none that the interface has, or something that was handed over is not given back once.
pub fn calls(input: &[u8]) -> Done {
    let books = Books::default();
    let mut calls = Calls {
        draw: Draw(input),
        books: &books,
        services: Vec::new(),
        loops: Vec::new(),
        kept: Vec::new(),
        ids: Default::default(),
        homes: HashMap::new(),
        done: Done::default(),
    };
    calls.begin();
    while !calls.draw.0.is_empty() {
        let status = calls.call();
        let text = unsafe { CStr::from_ptr(pc_status_text(status)) };
        assert_ne!(text, c"unknown status", "{status}");
        assert_ne!(status, PC_PANICKED);
        calls.done.calls += usize::from(status == PC_OK);
    }
    let done = calls.done;
    calls.end();
    assert_eq!(books.dropped, books.wakers, "wakers dropped and handed over");
    assert_eq!(books.released, books.posted, "bytes released and handed over");
    done
}

impl Calls<'_> {
    /// Two event loops and what they need, so that the first bytes already reach something.
    fn begin(&mut self) {
        self.new_service();
        let mut extension = 0;
        let id = pc_string { data: c"a".as_ptr(), length: 1 };
        unsafe { pc_extension_loaded(self.services[0], id, 0, null(), 0, 0, &raw mut extension) };
        unsafe { pc_tab_opened(self.services[0], 1, 1) };
        unsafe { pc_frame_attached(self.services[0], 1, 0, null(), pc_document { high: 0, low: 1 }) };
        self.ids[EXTENSION].push(extension);
        self.new_loop();
        self.new_loop();
    }

    fn end(self) {
        // In whichever order.
        for kept in &self.kept {
            unsafe { pc_bytes_release(*kept) };
        }
        for service in &self.services {
            unsafe { pc_service_free(*service) };
        }
        for event_loop in &self.loops {
            assert_eq!(unsafe { pc_event_loop_free(*event_loop) }, PC_OK);
        }
    }

    /// A struct whose size is mostly right.
    #[allow(clippy::cast_possible_truncation, reason = "structs are small")]
    fn sized<T: Copy>(&mut self) -> T {
        let mut made: T = unsafe { std::mem::zeroed() };
        let size = size_of::<T>() as u32;
        // No more than there is.
        let size = if self.draw.below(16) == 15 { size.min(u32::from(self.draw.byte())) } else { size };
        unsafe { (&raw mut made).cast::<u32>().write(size) };
        made
    }

    fn text(&mut self) -> pc_string {
        let bytes = match self.draw.below(TEXTS.len() + 1) {
            at if at < TEXTS.len() => TEXTS[at],
            _ => self.draw.bytes(12),
        };
        let data = if bytes.is_empty() && self.draw.below(2) == 1 { null() } else { bytes.as_ptr().cast() };
        pc_string { data, length: if self.draw.below(64) == 63 { usize::MAX } else { bytes.len() } }
    }

    fn id(&mut self, kind: usize) -> u64 {
        let kind = match self.draw.below(16) {
            15 => return u64::from(self.draw.byte()),
            14 => return u64::MAX - u64::from(self.draw.byte()),
            13 => self.draw.below(4),
            _ => kind,
        };
        let back = self.draw.below(self.ids[kind].len().clamp(1, 8));
        self.ids[kind].iter().rev().nth(back).copied().unwrap_or(0)
    }

    fn small(&mut self) -> u64 {
        [1, 1, 1, 0, 1, 2, 1, 3][self.draw.below(8)]
    }

    fn document(&mut self) -> pc_document {
        pc_document { high: 0, low: self.small() }
    }

    fn service(&mut self) -> *mut pc_service {
        self.draw.pick(&self.services).unwrap_or(null_mut())
    }

    fn event_loop(&mut self) -> *mut pc_event_loop {
        if self.draw.below(32) == 31 { null_mut() } else { self.draw.pick(&self.loops).unwrap_or(null_mut()) }
    }

    /// Mostly the event loop that a context or a port belongs to.
    fn home_of(&mut self, id: u64) -> *mut pc_event_loop {
        let home = self.homes.get(&id).copied().filter(|home| self.loops.contains(home));
        let other = self.event_loop();
        if self.draw.below(16) == 15 { other } else { home.unwrap_or(other) }
    }

    fn new_service(&mut self) -> pc_status {
        let mut made = null_mut();
        let (mut policies, mut limits): (pc_policies, pc_limits) = (self.sized(), self.sized());
        for policy in [
            &mut policies.receiver_disconnects,
            &mut policies.receiver_lost,
            &mut policies.back_forward_cache,
            &mut policies.opening_port,
            &mut policies.connect_listeners,
        ] {
            *policy = u32::from(self.draw.byte() % 4);
        }
        limits.window_messages = self.small();
        limits.message_bytes = u64::from(self.draw.byte()) * 4;
        let with = self.draw.below(2) == 1 && !self.services.is_empty();
        let (policies, limits): (*const _, *const _) =
            if with { (&raw const policies, &raw const limits) } else { (null(), null()) };
        let status = unsafe { pc_service_new(policies, limits, 0, &raw mut made) };
        assert_eq!(status == PC_OK, !made.is_null());
        if status == PC_OK {
            self.services.push(made);
        }
        status
    }

    fn waker(&mut self) -> pc_waker {
        let mut waker: pc_waker = self.sized();
        waker.wake = if self.draw.below(8) == 7 { None } else { Some(wake) };
        waker.drop = Some(drop_waker);
        waker.data = (&raw const *self.books).cast_mut().cast();
        waker
    }

    fn new_loop(&mut self) -> pc_status {
        let (service, mut made, waker) = (self.service(), null_mut(), self.waker());
        let status = unsafe { pc_event_loop_new(service, &raw const waker, &raw mut made) };
        assert_eq!(status == PC_OK, !made.is_null());
        if status == PC_OK {
            self.loops.push(made);
            self.books.wakers.set(self.books.wakers.get() + 1);
        }
        status
    }

    fn gives_id(&mut self, kind: usize, call: impl FnOnce(*mut u64) -> pc_status) -> pc_status {
        let mut id = 0;
        let to = if self.draw.below(32) == 31 { null_mut() } else { &raw mut id };
        let status = call(to);
        if status == PC_OK && !to.is_null() {
            self.ids[kind].push(id);
        }
        status
    }

    fn keeps(&mut self, call: impl FnOnce(*mut *mut pc_bytes) -> pc_status) -> pc_status {
        let mut kept = null_mut();
        let status = call(&raw mut kept);
        assert_eq!(status == PC_OK, !kept.is_null());
        if status == PC_OK {
            let bytes = unsafe { std::slice::from_raw_parts(pc_bytes_data(kept), pc_bytes_length(kept)) };
            std::hint::black_box(bytes.iter().map(|byte| usize::from(*byte)).sum::<usize>());
            self.kept.push(kept);
        }
        status
    }

    fn call(&mut self) -> pc_status {
        match self.draw.below(32) {
            0 => self.new_service_or_loop(),
            1 => self.fact(),
            2..6 => self.attach(),
            6..12 => self.connect(),
            12..19 => self.post(),
            19..27 => self.next(),
            27 => {
                let (event_loop, port) = (self.event_loop(), self.id(PORT));
                let call = [pc_disconnect, pc_accept, pc_refuse][self.draw.below(3)];
                unsafe { call(event_loop, port) }
            }
            28 => self.look(),
            29 => self.keep(),
            30 => self.free(),
            _ => {
                let (event_loop, waker) = (self.event_loop(), self.waker());
                let status = unsafe { pc_event_loop_set_waker(event_loop, &raw const waker) };
                if status == PC_OK {
                    self.books.wakers.set(self.books.wakers.get() + 1);
                }
                status
            }
        }
    }

    fn new_service_or_loop(&mut self) -> pc_status {
        match self.draw.below(4) {
            0 if self.services.len() < 3 => self.new_service(),
            _ if self.loops.len() < 4 => self.new_loop(),
            _ => nothing_to_do(),
        }
    }

    fn fact(&mut self) -> pc_status {
        let (service, tab, frame) = (self.service(), self.small(), self.small());
        let (document, other) = (self.document(), self.small());
        match self.draw.below(18) {
            15 => self.gives_id(EXTENSION, |wanted| unsafe { pc_next_wanted_background(service, wanted) }),
            16 => {
                let extension = self.id(EXTENSION);
                unsafe { pc_stop_background(service, extension) }
            }
            17 => {
                let extension = self.id(EXTENSION);
                unsafe { pc_give_up_background(service, extension, 600 + i32::from(self.draw.byte() % 16)) }
            }
            0 => unsafe { pc_tab_opened(service, tab, other) },
            1 => unsafe { pc_tab_moved(service, tab, other) },
            2 => unsafe { pc_tab_closed(service, tab) },
            3 => self.gives_id(EVENT_LOOP, |now| unsafe { pc_tab_discarded(service, tab, other, now) }),
            4 => unsafe { pc_tab_crashed(service, tab) },
            5 => unsafe { pc_frame_attached(service, tab, 0, null(), document) },
            6 => unsafe { pc_frame_attached(service, tab, frame, &other, document) },
            7 => unsafe { pc_frame_navigated(service, tab, frame, document) },
            8 => unsafe { pc_frame_removed(service, tab, frame) },
            9 => unsafe { pc_document_cached(service, document) },
            10 => unsafe { pc_document_restored(service, document) },
            11 => unsafe { pc_document_evicted(service, document) },
            12 => {
                let (id, listed, external) = (self.text(), self.text(), u32::from(self.draw.byte() % 4));
                self.gives_id(EXTENSION, |extension| unsafe {
                    pc_extension_loaded(service, id, external, &raw const listed, 1, 0, extension)
                })
            }
            13 => {
                let extension = self.id(EXTENSION);
                unsafe { pc_extension_unloaded(service, extension) }
            }
            _ => {
                let id = self.id(EVENT_LOOP);
                unsafe { pc_event_loop_gone(service, id) }
            }
        }
    }

    fn attach(&mut self) -> pc_status {
        let mut described: pc_context_description = self.sized();
        described.kind = [1, 2, 3, 4, 1, 2, 0, 5][self.draw.below(8)];
        (described.extension, described.tab, described.frame) = (self.id(EXTENSION), self.small(), 0);
        (described.document, described.has_document) = (self.document(), u32::from(self.draw.byte() % 2));
        (described.url, described.origin) = (self.text(), self.text());
        let event_loop = self.event_loop();
        let status =
            self.gives_id(CONTEXT, |context| unsafe { pc_attach(event_loop, &raw const described, context) });
        let context = if status == PC_OK { self.ids[CONTEXT].last().copied() } else { None };
        let context = context.unwrap_or_else(|| self.id(CONTEXT));
        if status == PC_OK {
            self.homes.insert(context, event_loop);
        }
        let listens = [15, 31, 1, 2, 0, 47, 31, 64][self.draw.below(8)];
        let listening = unsafe { pc_set_listening(event_loop, context, listens, 2) };
        if status == PC_OK { listening } else { status }
    }

    fn connect(&mut self) -> pc_status {
        let (opener, kind) = (self.id(CONTEXT), [0, 0, 0, 1, 0, 0, 1, 2][self.draw.below(8)]);
        let event_loop = self.home_of(opener);
        let known = self.ids[PORT].len();
        let status = if self.draw.below(2) == 0 {
            let mut target: pc_tab_target = self.sized();
            (target.kind, target.tab, target.name) = (kind, self.small(), self.text());
            (target.has_frame, target.frame) = (u32::from(self.draw.byte() % 2), 0);
            (target.has_document, target.document) = (u32::from(self.draw.byte() % 2), self.document());
            self.gives_id(PORT, |port| unsafe { pc_connect_tab(event_loop, opener, &raw const target, port) })
        } else {
            let mut target: pc_runtime_target = self.sized();
            target.kind = kind;
            target.extension =
                if self.draw.below(2) == 1 { self.text() } else { pc_string { data: null(), length: 0 } };
            target.name = self.text();
            self.gives_id(PORT, |port| unsafe {
                pc_connect_runtime(event_loop, opener, &raw const target, port)
            })
        };
        if let Some(port) = self.ids[PORT].get(known) {
            self.homes.insert(*port, event_loop);
        }
        status
    }

    fn post(&mut self) -> pc_status {
        let port = self.id(PORT);
        let event_loop = self.home_of(port);
        let format = [0, 1, 256, 511, 0, 1, 2, 512][self.draw.below(8)];
        match self.draw.below(3) {
            0 => {
                let text = self.text();
                unsafe { pc_post(event_loop, port, text.data.cast(), text.length, format, 1) }
            }
            1 => {
                let bytes = vec![self.draw.byte(); self.draw.below(256)].into_boxed_slice();
                let length = bytes.len();
                let data = Box::into_raw(bytes).cast::<u8>();
                let mut owned: pc_owned_bytes = self.sized();
                (owned.data, owned.length) = (data, length);
                owned.release = if self.draw.below(16) == 15 { None } else { Some(release) };
                owned.context = (&raw const *self.books).cast_mut().cast();
                let status = unsafe { pc_post_owned(event_loop, port, &raw const owned, format, 0) };
                self.books.posted.set(self.books.posted.get() + 1);
                if status != PC_OK {
                    // They are still ours.
                    unsafe { release(owned.context, data, length) };
                }
                status
            }
            _ => {
                let kept = self.draw.pick(&self.kept).unwrap_or(null_mut());
                unsafe { pc_post_kept(event_loop, port, kept, format, 0) }
            }
        }
    }

    fn next(&mut self) -> pc_status {
        let (event_loop, how, mut event) = (self.event_loop(), self.draw.below(4), self.sized::<pc_event>());
        let to = &raw mut event;
        let status = match how {
            0 => unsafe { pc_next_event_unarmed(event_loop, to) },
            1 => unsafe { pc_wait_for(event_loop, 0, to) },
            _ => unsafe { pc_next_event(event_loop, to) },
        };
        if status != PC_OK {
            return status;
        }
        self.done.events += 1;
        self.ids[PORT].push(event.port);
        self.homes.insert(event.port, event_loop);
        let shown = |data: *const u8, length: usize| {
            if length > 0 {
                let bytes = unsafe { std::slice::from_raw_parts(data, length) };
                std::hint::black_box(bytes.iter().map(|byte| usize::from(*byte)).sum::<usize>());
            }
        };
        shown(event.payload, event.payload_length);
        shown(event.name.data.cast(), event.name.length);
        shown(event.ended_ports.cast(), event.ended_port_count * size_of::<pc_ended_port>());
        let mut sender: pc_sender = self.sized();
        let opener = unsafe { pc_opener(event_loop, &raw mut sender) };
        assert!(event.kind == PC_CONNECT || opener == PC_NONE || opener == PC_WRONG_SIZE);
        if opener == PC_OK {
            for text in [sender.url, sender.origin, sender.extension_id] {
                shown(text.data.cast(), text.length);
            }
        }
        PC_OK
    }

    fn look(&mut self) -> pc_status {
        let (event_loop, mut ports, mut count) = (self.event_loop(), [0; 3], 0);
        let kind = [CONTEXT, PORT][self.draw.below(2)];
        let id = self.id(kind);
        match self.draw.below(8) {
            0 => unsafe { pc_is_open(event_loop, id) },
            1 => unsafe { pc_ports(event_loop, id, ports.as_mut_ptr(), ports.len(), &raw mut count) },
            2 => self.gives_id(CONTEXT, |context| unsafe { pc_context_of(event_loop, id, context) }),
            3 => unsafe { pc_set_context_data(event_loop, id, 1) },
            4 => unsafe { pc_set_port_data(event_loop, id, 1) },
            5 => self.gives_id(EVENT_LOOP, |own| unsafe { pc_event_loop_id(event_loop, own) }),
            6 => unsafe { pc_detach(event_loop, id) },
            _ => {
                let mut gone = 0;
                unsafe { pc_event_loop_is_gone(event_loop, &raw mut gone) }
            }
        }
    }

    fn keep(&mut self) -> pc_status {
        let (event_loop, service) = (self.event_loop(), self.service());
        match self.draw.below(4) {
            0 => self.keeps(|kept| unsafe { pc_event_loop_snapshot(event_loop, kept) }),
            1 => self.keeps(|kept| unsafe { pc_service_snapshot(service, kept) }),
            _ => self.keeps(|kept| unsafe { pc_payload_retain(event_loop, kept) }),
        }
    }

    fn free(&mut self) -> pc_status {
        let which = self.draw.below(4);
        match self.draw.below(4) {
            0 if self.loops.len() > 1 => {
                let event_loop = self.loops.swap_remove(which % self.loops.len());
                unsafe { pc_event_loop_free(event_loop) }
            }
            1 if self.services.len() > 1 => {
                let service = self.services.swap_remove(which % self.services.len());
                unsafe { pc_service_free(service) };
                PC_OK
            }
            2 => {
                let event_loop = self.event_loop();
                let left = unsafe { pc_event_loop_leave(event_loop) };
                let refused = unsafe { pc_is_open(event_loop, 1) };
                assert!(left != PC_OK || refused == PC_WRONG_THREAD);
                unsafe { pc_event_loop_take(event_loop) }
            }
            _ if !self.kept.is_empty() => {
                let kept = self.kept.swap_remove(which % self.kept.len());
                unsafe { pc_bytes_retain(kept) };
                unsafe { pc_bytes_release(kept) };
                unsafe { pc_bytes_release(kept) };
                PC_OK
            }
            _ => nothing_to_do(),
        }
    }
}

/// What there is nothing to do for.
fn nothing_to_do() -> pc_status {
    PC_NONE
}
