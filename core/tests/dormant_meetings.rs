//! Backgrounds that are started on demand meet others in the middle of a start: lanes that are made meanwhile, a
//! successor, a waker that calls back, two extensions that start together.

mod common;

use common::*;
use port_core::DisconnectReason::EventLoopGone;
use port_core::{
    BackgroundState, Event, EventLoop, ExtensionDescription, ExtensionInstance, ExternalConnections,
    Listening, MessageService, RuntimeTarget, TabTarget,
};
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{RawWaker, RawWakerVTable, Waker};
use std::thread;
use std::time::Duration;

#[test]
fn what_waited_reaches_a_background_that_connects_to_its_loop_once_it_is_ready() {
    let mut sleeper = Sleeper::new();
    sleeper.connect("waits");
    let background = sleeper.start();
    // Its lanes to the page's loop come behind the word that it is ready.
    sleeper.home.connect_tab(background, &TabTarget::new(sleeper.place.tab).name("greets")).unwrap();
    assert_eq!(sleeper.settle(), (vec![connect("greets")], vec![connect("waits")]));
}

#[test]
fn a_successor_that_is_ready_already_takes_over_from_a_background_that_goes() {
    let mut sleeper = Sleeper::new();
    let first = sleeper.start();
    let mut elsewhere = sleeper.browser.event_loop();
    listen_for(&mut elsewhere, describe_background(sleeper.extension), READY);
    sleeper.home.detach(first).unwrap();
    assert_eq!(sleeper.state(), BackgroundState::Ready);
    sleeper.connect("port");
    assert_eq!(hear(&mut elsewhere), [connect("port")]);
    drop(elsewhere);
    assert_eq!(sleeper.state(), BackgroundState::Dormant);
}

#[test]
fn those_that_wait_hear_that_the_loop_was_dropped_where_the_background_started() {
    let mut sleeper = Sleeper::new();
    sleeper.connect("port");
    sleeper.attach();
    sleeper.home = sleeper.browser.event_loop();
    assert_eq!(sleeper.settle().0, [disconnect(EventLoopGone)]);
}

#[test]
fn a_disconnect_is_a_use() {
    let mut sleeper = Sleeper::new();
    sleeper.connect("port");
    let background = sleeper.start();
    sleeper.settle();
    let port = sleeper.home.ports(background).next().unwrap();
    let uses = |sleeper: &Sleeper| sleeper.home.why_awake(background).unwrap().uses;
    assert_eq!(uses(&sleeper), 1);
    assert!(sleeper.home.disconnect(port));
    assert!(!sleeper.home.disconnect(port));
    assert_eq!(uses(&sleeper), 2);
}

/// A waker whose clones, too, are the embedder's code: each of them calls the service.
fn waker_that_calls_the_service_when_cloned(service: &MessageService) -> Waker {
    static CALLS: RawWakerVTable = RawWakerVTable::new(
        |data| {
            // SAFETY: the waker that is cloned owns a count, which it keeps.
            let service = ManuallyDrop::new(unsafe { Arc::from_raw(data.cast::<MessageService>()) });
            let _called = service.next_wanted_background();
            RawWaker::new(Arc::into_raw(Arc::clone(&service)).cast(), &CALLS)
        },
        let_go,
        |_| (),
        let_go,
    );
    fn let_go(data: *const ()) {
        // SAFETY: the waker that is dropped owned a count.
        drop(unsafe { Arc::from_raw(data.cast::<MessageService>()) });
    }
    let data = Arc::into_raw(Arc::new(service.clone())).cast();
    // SAFETY: the pointer is an `Arc`'s, of which every waker owns one count, and a service may be used by any thread.
    unsafe { Waker::from_raw(RawWaker::new(data, &CALLS)) }
}

#[test]
fn the_background_waker_is_cloned_under_no_lock() {
    let mut sleeper = Sleeper::new();
    let service = &sleeper.browser.service;
    let waker = waker_that_calls_the_service_when_cloned(service);
    service.set_background_waker(waker.clone());
    sleeper.connect("first");
    let service = &sleeper.browser.service;
    service.set_background_waker(waker);
    assert_eq!(service.next_wanted_background(), Some(sleeper.extension));
    service.set_background_waker(Waker::noop().clone());
}

const STARTS: u64 = 200;
const A_WHILE: Duration = Duration::from_secs(120);

/// One of the extensions that start together.
struct Partner<'a> {
    service: &'a MessageService,
    extension: ExtensionInstance,
    other: &'a str,
    /// It is started when somebody waits for it, otherwise at once.
    when_wanted: bool,
    /// Connects before it says that it is ready, or after that.
    connects_first: bool,
    begin: &'a Barrier,
    /// Both are dropped once both have heard all.
    end: &'a Barrier,
}

impl Partner<'_> {
    /// Runs the background's script, until it has heard the other's question, and the answer to its own.
    fn run(self) {
        let mut event_loop = self.service.event_loop(Waker::noop().clone());
        self.begin.wait();
        while self.when_wanted && self.service.next_wanted_background() != Some(self.extension) {
            thread::yield_now();
        }
        let background = event_loop.attach(describe_background(self.extension)).unwrap();
        let ready = Listening::none().external_ports(true).ready(true);
        let target = RuntimeTarget::extension(self.other);
        let ask = |event_loop: &mut EventLoop| {
            let port = event_loop.connect_runtime(background, &target).unwrap();
            event_loop.post_message(port, "question").unwrap();
            port
        };
        let own;
        if self.connects_first {
            own = ask(&mut event_loop);
            event_loop.set_listening(background, ready).unwrap();
        } else {
            event_loop.set_listening(background, ready).unwrap();
            own = ask(&mut event_loop);
        }
        let (mut asked, mut answered) = (false, false);
        while !(asked && answered) {
            match event_loop.wait_timeout(A_WHILE).expect("both are there") {
                Event::Connect { .. } => {}
                Event::Message { port, payload, .. } if port == own => {
                    assert_eq!(&*payload, b"answer");
                    answered = true;
                }
                Event::Message { port, payload, .. } => {
                    assert_eq!(&*payload, b"question");
                    event_loop.post_message(port, "answer").unwrap();
                    asked = true;
                }
                other => panic!("{other:?}"),
            }
        }
        self.end.wait();
    }
}

/// Extensions that start together reach each other, whichever is the first to run, connect and be ready.
#[test]
fn two_extensions_that_start_together_reach_each_other() {
    let service = MessageService::default();
    let load = |id: &str| {
        let description = ExtensionDescription::new(id).background_on_demand();
        service.extension_loaded(description.external(ExternalConnections::Everyone)).unwrap()
    };
    let over = AtomicBool::new(false);
    let reached = Mutex::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            // Load, so that the threads are interrupted anywhere.
            scope.spawn(|| {
                while !over.load(SeqCst) {
                    std::hint::spin_loop();
                }
            });
        }
        let _over = CallOnDrop(|| over.store(true, SeqCst));
        for start in 0..STARTS {
            let mut dice = Dice::new(start);
            let ids = ["one@example", "two@example"];
            let extensions = ids.map(load);
            let (begin, end) = (Barrier::new(2), Barrier::new(2));
            // One of them at least is started by itself.
            let on_demand = dice.below(3);
            thread::scope(|scope| {
                for at in 0..2 {
                    let partner = Partner {
                        service: &service,
                        extension: extensions[at],
                        other: ids[1 - at],
                        when_wanted: on_demand == at,
                        connects_first: dice.below(2) == 0,
                        begin: &begin,
                        end: &end,
                    };
                    scope.spawn(|| partner.run());
                }
            });
            for extension in extensions {
                service.extension_unloaded(extension).unwrap();
            }
            *reached.lock().unwrap() += 1;
        }
    });
    assert_eq!(*reached.lock().unwrap(), STARTS);
}

struct CallOnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for CallOnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
