//! A storm of stops: a background is stopped as often as it gets ready, on two threads in turns, while content scripts
//! on other threads connect to it, post, send one-off messages, and disconnect. Not one connect hears that there is no
//! receiver, and each is heard once.

mod common;

use common::*;
use port_core::{
    BackgroundState, ConnectKind, DisconnectReason, Event, EventLoop, ExtensionDescription,
    ExtensionInstance, OpeningPort, PortId, PostErrorKind, RuntimeTarget,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;

const OPENERS: usize = 2;
const CONNECTS: usize = 1_000;
/// So many ports an opener has at most, so that a few meet each stop.
const AT_ONCE: usize = 40;
/// What each connect posts.
const POSTS: usize = 3;
/// So many stops at least meet the connects.
const STOPS: usize = 100;

struct Storm {
    browser: Browser,
    extension: ExtensionInstance,
    /// Starts that the browser was asked for and nobody has made.
    wanted: AtomicUsize,
    stops: AtomicUsize,
    /// How many openers are not done.
    active: AtomicUsize,
    broken: AtomicBool,
}

/// Says that its thread is done; and that all may go home if it panicked.
struct Done<'a>(&'a Storm);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.broken.fetch_or(thread::panicking(), SeqCst);
    }
}

impl Storm {
    fn is_over(&self) -> bool {
        self.active.load(SeqCst) == 0 || self.broken.load(SeqCst)
    }

    fn is_ready(&self) -> bool {
        let snapshot = self.browser.service.snapshot();
        snapshot.extensions.iter().any(|extension| {
            extension.instance == self.extension && extension.background == BackgroundState::Ready
        })
    }

    /// Stops the background soon after it has got ready.
    fn stop_again_and_again(&self) {
        let _done = Done(self);
        let mut dice = Dice::new(7);
        while !self.is_over() {
            if self.is_ready() {
                for _ in 0..dice.below(60) {
                    thread::yield_now();
                }
                self.browser.service.stop_background(self.extension).unwrap();
                self.stops.fetch_add(1, SeqCst);
            }
            thread::yield_now();
        }
    }

    /// A thread on which the background lives, now and then.
    fn run_backgrounds(&self) -> Vec<Heard> {
        let _done = Done(self);
        let mut event_loop = self.browser.event_loop();
        let mut heard = Vec::new();
        while !self.is_over() {
            let asked = std::iter::from_fn(|| self.browser.service.next_wanted_background()).count();
            self.wanted.fetch_add(asked, SeqCst);
            if self.wanted.fetch_update(SeqCst, SeqCst, |wanted| wanted.checked_sub(1)).is_ok() {
                listen_for(&mut event_loop, describe_background(self.extension), READY);
            }
            heard.extend(hear(&mut event_loop));
            thread::yield_now();
        }
        heard.extend(hear(&mut event_loop));
        heard
    }

    /// Connects again and again. Returns how often, and why ports ended.
    fn connect_again_and_again(&self, opener: usize) -> (usize, Vec<DisconnectReason>) {
        let _done = Done(self);
        let place = self.browser.tab();
        let mut event_loop = self.browser.event_loop();
        let script = content_script_of(self.extension, &mut event_loop, place);
        let mut reasons = Vec::new();
        let mut open = Vec::<PortId>::new();
        let mut connects = 0;
        while (connects < CONNECTS || self.stops.load(SeqCst) < STOPS) && !self.broken.load(SeqCst) {
            let name = format!("{opener}.{connects}");
            let kind = if connects % 3 == 0 { ConnectKind::OneOff } else { ConnectKind::Port };
            let target = RuntimeTarget::own().name(&name).kind(kind);
            if event_loop.snapshot().ports.len() < AT_ONCE {
                let port = event_loop.connect_runtime(script, &target).unwrap();
                connects += 1;
                // The others end with a stop.
                if kind == ConnectKind::Port {
                    open.push(port);
                }
                for nth in 0..POSTS {
                    self.post(&mut event_loop, port, &format!("{name}.{nth}"), &mut reasons);
                }
            }
            if connects % 4 == 0 {
                for port in open.drain(..) {
                    event_loop.disconnect(port);
                }
            }
            take_ends(&mut event_loop, &mut reasons);
            thread::yield_now();
        }
        for port in open {
            event_loop.disconnect(port);
        }
        // What was left before its answer stays until it has one, and the rest until a stop.
        while !event_loop.snapshot().ports.is_empty() && !self.broken.load(SeqCst) {
            take_ends(&mut event_loop, &mut reasons);
            thread::yield_now();
        }
        self.active.fetch_sub(1, SeqCst);
        (connects, reasons)
    }

    /// Posts once there is room, unless the port has ended.
    fn post(&self, of: &mut EventLoop, port: PortId, text: &str, reasons: &mut Vec<DisconnectReason>) {
        while let Err(refused) = of.post_message(port, text) {
            if refused.kind() == PostErrorKind::Disconnected || self.broken.load(SeqCst) {
                return;
            }
            take_ends(of, reasons);
            thread::yield_now();
        }
    }
}

fn take_ends(event_loop: &mut EventLoop, reasons: &mut Vec<DisconnectReason>) {
    for event in drain(event_loop) {
        match event {
            Event::Disconnect { reason, .. } => reasons.push(reason),
            Event::Room { .. } => {}
            other => panic!("nobody sends {other:?}"),
        }
    }
}

/// The connects that one thread heard, by opener, in order; each with its posts in order.
fn check_order(heard: &[Heard]) -> Vec<(usize, usize)> {
    let mut connects = Vec::new();
    let mut last = [None; OPENERS];
    let mut posts = HashMap::<(usize, usize), usize>::new();
    let numbers = |text: &str| text.split('.').map(|number| number.parse().unwrap()).collect::<Vec<usize>>();
    for heard in heard {
        match heard {
            Heard::Connect(name) => {
                let numbers = numbers(name);
                let connect = (numbers[0], numbers[1]);
                assert!(last[connect.0] < Some(connect.1), "{name} after {last:?}");
                last[connect.0] = Some(connect.1);
                connects.push(connect);
            }
            Heard::Message(text) => {
                let numbers = numbers(text);
                let next = posts.entry((numbers[0], numbers[1])).or_default();
                assert_eq!(*next, numbers[2], "{text}");
                *next += 1;
            }
            _ => {}
        }
    }
    connects
}

fn storm(opening: OpeningPort) {
    let browser = Browser::with_policies(policies(|policies| policies.opening_port = opening));
    let description = ExtensionDescription::new("sleeper@example").background_on_demand();
    let extension = browser.service.extension_loaded(description).unwrap();
    let (wanted, stops) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let active = AtomicUsize::new(OPENERS);
    let storm = Storm { browser, extension, wanted, stops, active, broken: AtomicBool::new(false) };
    let (openers, homes): (Vec<_>, Vec<_>) = thread::scope(|scope| {
        let storm = &storm;
        let homes = [(); 2].map(|()| scope.spawn(|| storm.run_backgrounds()));
        let openers: Vec<_> =
            (0..OPENERS).map(|opener| scope.spawn(move || storm.connect_again_and_again(opener))).collect();
        storm.stop_again_and_again();
        (
            openers.into_iter().map(|opener| opener.join().unwrap()).collect(),
            homes.into_iter().map(|home| home.join().unwrap()).collect(),
        )
    });
    let mut heard: Vec<_> = homes.iter().flat_map(|heard| check_order(heard)).collect();
    heard.sort_unstable();
    let made = openers
        .iter()
        .enumerate()
        .flat_map(|(opener, (connects, _))| (0..*connects).map(move |nth| (opener, nth)));
    assert!(heard.iter().copied().eq(made), "each connect is heard once");
    for (_, reasons) in openers {
        // Those that were taken end with a stop. Nobody hears that there is no receiver.
        assert!(reasons.iter().all(|reason| *reason == DisconnectReason::BackgroundStopped), "{reasons:?}");
        assert!(!reasons.is_empty());
    }
}

#[test]
fn no_connect_is_refused_or_lost_in_a_storm_of_stops() {
    storm(OpeningPort::PostsFollow);
}

#[test]
fn no_connect_is_refused_or_lost_where_posts_wait() {
    storm(OpeningPort::PostsWait);
}
