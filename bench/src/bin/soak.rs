//! Two event loops on two processors, and so many messages between them: every kind of record, every length that lies
//! in a lane and some that do not, over ports that come and go, without windows and with. Shows that no lane stalls,
//! loses, reorders or grows.
//!
//! `soak [MESSAGES]`: a million by default, a few seconds. Exits with failure when something stalls or grows.

use port_core::{ConnectError, ContextId, Event, EventLoop, Limits, PortId, PostErrorKind, TabTarget};
use port_core_bench::allocation::{Counting, Tally};
use port_core_bench::browser::{Browser, limits};
use port_core_bench::topology::Processors;
use std::collections::HashMap;
use std::hint::spin_loop;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Parts of a run. After each of them both sides fall silent and the heap is measured.
const PARTS: u64 = 10;
/// Of so many messages one is answered.
const ANSWERED: u64 = 16;
/// Messages after which the ports are replaced.
const LIFE: u64 = 5_000;
/// How long nothing may move. A machine may be busy; a lane that stalled moves never.
const STALL: Duration = Duration::from_secs(120);
/// What the heap may hold more than after the first part.
const GROWTH: i64 = 64 << 10;

fn main() -> ExitCode {
    let messages = match std::env::args().nth(1).map(|count| count.parse()) {
        None => 1_000_000,
        Some(Ok(count)) => count,
        Some(Err(_)) => {
            eprintln!("usage: soak [MESSAGES]");
            return ExitCode::FAILURE;
        }
    };
    let Some(processors) = Processors::find() else {
        eprintln!("two processors are needed");
        return ExitCode::FAILURE;
    };
    // Small enough that the lane is often full, and ports have to ask for room.
    let narrow = limits(|limits| limits.lane_records = 4_096);
    let windowed = narrow.window_messages(100).window_bytes(100_000);
    for (name, limits) in [("without windows", narrow), ("with windows", windowed)] {
        if let Err(error) = soak(name, limits, messages / 2, &processors) {
            eprintln!("{name}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// What the two threads tell each other beside the messages.
#[derive(Default)]
struct Shared {
    /// How many messages the listener has heard.
    heard: AtomicU64,
    /// How often it found nothing, and what it had allocated then, less what it had freed.
    idle: AtomicU64,
    held: AtomicI64,
    over: AtomicBool,
}

fn soak(name: &str, limits: Limits, messages: u64, processors: &Processors) -> Result<(), String> {
    // What this thread allocated before, and others freed.
    let before = Tally::now().bytes;
    let browser = Browser::with_limits(limits);
    let (event_loop, mut there) = (browser.event_loop(), browser.event_loop());
    let top = browser.tab();
    for place in [top, browser.frame_in(top)] {
        browser.content_script(&mut there, place);
    }
    let targets =
        [TabTarget::new(top.tab).frame(top.frame).name("one"), TabTarget::new(top.tab).name("both")];
    let (shared, second) = (&Shared::default(), processors.second);
    thread::scope(|scope| {
        let listener = scope.spawn(move || {
            core_affinity::set_for_current(second);
            listen(&mut there, shared);
        });
        core_affinity::set_for_current(processors.first);
        let mut poster =
            Poster { browser: &browser, event_loop, shared, background: None, ports: Vec::new(), due: 0 };
        let parts = (0..PARTS).try_fold(None, |first, part| {
            let start = Instant::now();
            poster.post(messages / PARTS, &targets)?;
            let held = poster.fall_silent()? - before;
            let (heard, seconds) = (poster.due, start.elapsed().as_secs_f64());
            println!("{name}: part {part}, {heard} messages heard, {held} bytes held, {seconds:.1} s");
            let first = first.unwrap_or(held);
            if held > first + GROWTH { Err(format!("{first} bytes became {held}")) } else { Ok(Some(first)) }
        });
        shared.over.store(true, Ordering::Release);
        listener.join().map_err(|_| "the listener failed")?;
        parts.map(drop)
    })
}

/// Returns the bytes of a port's message with this number: all lengths in turn that lie in a lane, and now and then
/// one that does not.
fn message(number: u64, into: &mut Vec<u8>) {
    let length = if number % 50 == 49 { 161 + number % 4_000 } else { number % 161 };
    into.clear();
    into.extend((0..length).map(|at| (number + at) as u8));
}

struct Poster<'a> {
    browser: &'a Browser,
    event_loop: EventLoop,
    shared: &'a Shared,
    background: Option<ContextId>,
    /// Each with how many hear it, and the number of its next message.
    ports: Vec<(PortId, u64, u64)>,
    /// How many messages the listener is to hear.
    due: u64,
}

impl Poster<'_> {
    fn post(&mut self, messages: u64, targets: &[TabTarget; 2]) -> Result<(), String> {
        let mut bytes = Vec::new();
        for turn in 0..messages {
            if turn % LIFE == 0 {
                self.renew(targets, (turn / LIFE).is_multiple_of(4))?;
            }
            let which = turn as usize % self.ports.len();
            let (port, hearers, number) = self.ports[which];
            message(number, &mut bytes);
            self.insist(|event_loop| {
                let posted = event_loop.post_message(port, &*bytes).map_err(PostErrorKind::from);
                match posted {
                    Err(PostErrorKind::Busy | PostErrorKind::WindowFull) => Ok(false),
                    posted => posted.map(|()| true).map_err(|error| format!("{error:?}")),
                }
            })?;
            self.ports[which].2 += 1;
            self.due += hearers;
            if turn % 64 == 0 {
                self.take();
            }
        }
        Ok(())
    }

    /// Opens the ports anew, from a new context or the same.
    fn renew(&mut self, targets: &[TabTarget; 2], context: bool) -> Result<(), String> {
        for (port, ..) in self.ports.drain(..) {
            self.event_loop.disconnect(port);
        }
        if context && let Some(background) = self.background.take() {
            self.event_loop.detach(background).map_err(|error| error.to_string())?;
        }
        let background = match self.background {
            Some(background) => background,
            None => self.browser.background(&mut self.event_loop),
        };
        self.background = Some(background);
        for (target, hearers) in targets.iter().zip(1..) {
            let mut opened = None;
            self.insist(|event_loop| match event_loop.connect_tab(background, target) {
                Err(ConnectError::Busy) => Ok(false),
                Err(error) => Err(error.to_string()),
                Ok(port) => {
                    opened = Some(port);
                    Ok(true)
                }
            })?;
            self.ports.extend(opened.map(|port| (port, hearers, 0)));
        }
        Ok(())
    }

    /// Repeats a call until it is admitted, and takes events meanwhile.
    fn insist(&mut self, mut call: impl FnMut(&mut EventLoop) -> Result<bool, String>) -> Result<(), String> {
        let mut watch = Watch::new(self.shared);
        while !call(&mut self.event_loop)? {
            self.take();
            watch.look()?;
        }
        Ok(())
    }

    /// Takes the answers, and word of room.
    fn take(&mut self) {
        while let Some(event) = &self.event_loop.next_event_unarmed() {
            match event {
                Event::Message { .. } | Event::Room { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Waits until everything is heard and both sides have nothing to do. Returns how many bytes they hold.
    fn fall_silent(&mut self) -> Result<i64, String> {
        let mut watch = Watch::new(self.shared);
        while self.shared.heard.load(Ordering::Acquire) < self.due {
            self.take();
            watch.look()?;
        }
        // A burst's memory is given back once it was not used from one silence to the next.
        for _ in 0..4 {
            let idle = self.shared.idle.load(Ordering::Acquire);
            while self.shared.idle.load(Ordering::Acquire) < idle + 2 {
                spin_loop();
            }
            while self.event_loop.next_event().is_some() {}
        }
        Ok(Tally::now().bytes + self.shared.held.load(Ordering::Acquire))
    }
}

/// Watches whether the listener still hears something.
struct Watch<'a> {
    shared: &'a Shared,
    heard: u64,
    since: Instant,
}

impl<'a> Watch<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self { shared, heard: shared.heard.load(Ordering::Acquire), since: Instant::now() }
    }

    fn look(&mut self) -> Result<(), String> {
        let heard = self.shared.heard.load(Ordering::Acquire);
        if heard != self.heard {
            (self.heard, self.since) = (heard, Instant::now());
        }
        if self.since.elapsed() > STALL { Err(format!("stalled after {heard} messages")) } else { Ok(()) }
    }
}

/// Takes everything until the run is over, answers some of it, and looks at each message.
fn listen(event_loop: &mut EventLoop, shared: &Shared) {
    let mut numbers: HashMap<PortId, u64> = HashMap::new();
    let (mut heard, mut expected) = (0, Vec::new());
    while !shared.over.load(Ordering::Acquire) {
        match &event_loop.next_event() {
            Some(Event::Message { port, payload, .. }) => {
                let number = numbers.get_mut(port).expect("it was connected");
                message(*number, &mut expected);
                assert_eq!(**payload, *expected, "message {number} of {port:?}");
                *number += 1;
                heard += 1;
                shared.heard.store(heard, Ordering::Release);
                if heard % ANSWERED == 0 {
                    // It may be refused for want of room, or because the other side has gone.
                    let _ = event_loop.post_message(*port, payload);
                }
            }
            Some(Event::Connect { port, .. }) => assert_eq!(numbers.insert(*port, 0), None),
            Some(Event::Disconnect { port, .. }) => assert!(numbers.remove(port).is_some()),
            Some(Event::Room { .. }) => {}
            Some(other) => panic!("{other:?}"),
            None => {
                shared.held.store(Tally::now().bytes, Ordering::Release);
                shared.idle.fetch_add(1, Ordering::AcqRel);
            }
        }
    }
}
