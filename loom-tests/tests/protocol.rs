//! The whole protocol: an opener, a receiver and a browser that reports a fact, on
//! three threads with the real code, in every combination of how each ends.

mod support;

use loom::thread;
use port_core_model::{
    ContextId, DocumentId, Event, EventLoop, EventLoopId, MessageService, PortId, TabTarget,
};
use support::{Browser, PLACE, Seen, TAB, drain, ends, model, seen, settle};

/// What a side does after its first post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Stays,
    Disconnects,
    Detaches,
    Drops,
}

/// What the browser reports meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact {
    Nothing,
    TabCloses,
    FrameNavigates,
    ExtensionUnloads,
    ReceiverHangs,
    OpenerHangs,
}

impl Fact {
    fn report(self, browser: &Reporter) {
        let service = &browser.service;
        match self {
            Self::Nothing => {}
            Self::TabCloses => service.tab_closed(TAB).unwrap(),
            Self::FrameNavigates => {
                service.frame_navigated(TAB, PLACE.frame, DocumentId::new(9)).unwrap();
            }
            Self::ExtensionUnloads => service.extension_unloaded(browser.extension).unwrap(),
            // The loop may be dropped already.
            Self::ReceiverHangs => drop(service.event_loop_gone(browser.receiver)),
            Self::OpenerHangs => drop(service.event_loop_gone(browser.opener)),
        }
    }

    fn ends_opener(self) -> bool {
        matches!(self, Self::ExtensionUnloads | Self::OpenerHangs)
    }

    fn ends_receiver(self) -> bool {
        !matches!(self, Self::Nothing | Self::OpenerHangs)
    }
}

/// The browser's thread.
struct Reporter {
    service: MessageService,
    extension: port_core_model::ExtensionInstance,
    opener: EventLoopId,
    receiver: EventLoopId,
}

/// One side with its thread's loop, and what became of it.
struct Side {
    event_loop: Option<EventLoop>,
    context: ContextId,
    /// Of the opener always, of the receiver once it took the connection.
    port: Option<PortId>,
    posted: bool,
    /// Ended by itself: its context is detached, or its port disconnected.
    detached: bool,
    disconnected: bool,
    saw: Vec<Seen>,
    /// How much of that was seen before it ended by itself.
    saw_before: usize,
}

impl Side {
    fn new((event_loop, context): (EventLoop, ContextId)) -> Self {
        Self {
            event_loop: Some(event_loop),
            context,
            port: None,
            posted: false,
            detached: false,
            disconnected: false,
            saw: Vec::new(),
            saw_before: 0,
        }
    }

    fn own(&mut self) -> &mut EventLoop {
        self.event_loop.as_mut().unwrap()
    }

    fn post(&mut self, mark: u8) {
        let port = self.port.unwrap();
        self.posted = self.own().post_message(port, &[mark]).is_ok();
    }

    fn end(&mut self, then: Then) {
        self.saw_before = self.saw.len();
        let context = self.context;
        match then {
            Then::Stays => {}
            Then::Disconnects => {
                let port = self.port.unwrap();
                self.disconnected = self.own().disconnect(port);
            }
            Then::Detaches => self.detached = self.own().detach(context).is_ok(),
            Then::Drops => self.event_loop = None,
        }
    }

    fn drain(&mut self) {
        if let Some(event_loop) = &mut self.event_loop {
            self.saw.extend(drain(event_loop));
        }
    }

    fn is_open(&mut self) -> bool {
        self.event_loop.as_mut().is_some_and(|event_loop| {
            let ports = event_loop.snapshot().ports;
            assert!(ports.len() <= 1, "{ports:?}");
            !ports.is_empty()
        })
    }

    fn open(mut self, then: Then) -> Self {
        let context = self.context;
        self.port = self.own().connect_tab(context, &TabTarget::new(TAB)).ok();
        if self.port.is_some() {
            self.post(1);
            self.end(then);
        }
        self.drain();
        self
    }

    fn receive(&mut self, then: Then) {
        while let Some(event) = self.own().next_event() {
            self.saw.push(seen(&event));
            match event {
                Event::Connect { port, .. } => {
                    self.port = Some(port);
                    self.post(5);
                }
                Event::Message { .. } => {
                    self.end(then);
                    break;
                }
                _ => {}
            }
        }
        self.drain();
    }

    /// G2: in order, each at most once, nothing after the end; and nothing but the
    /// context's own end after this side ended the port.
    fn check(&self, order: &[Seen], killed: bool) {
        let saw = &self.saw;
        let mut rest = saw.as_slice();
        for expected in order {
            rest = rest.strip_prefix(&[*expected]).unwrap_or(rest);
        }
        if let [Seen::Disconnect(_), behind @ ..] = rest {
            assert!(
                !self.disconnected && !self.detached || self.saw_before > saw.len() - rest.len(),
                "{saw:?}"
            );
            rest = behind;
        }
        if let [Seen::Gone(_), behind @ ..] = rest {
            rest = behind;
        }
        assert_eq!(rest, [], "{saw:?}");
        if self.event_loop.is_some() {
            let gone = saw.iter().any(|seen| matches!(seen, Seen::Gone(_)));
            assert_eq!(gone, killed && !self.detached, "{saw:?}");
        }
        if self.disconnected || self.detached {
            assert!(saw[self.saw_before..].iter().all(|seen| matches!(seen, Seen::Gone(_))), "{saw:?}");
        }
    }
}

fn run(opener_then: Then, receiver_then: Then, fact: Fact) {
    let browser = Browser::new();
    let mut opener = Side::new(browser.background());
    let mut receiver = Side::new(browser.content_script());
    let reporter = Reporter {
        service: browser.service.clone(),
        extension: browser.extension,
        opener: opener.own().id(),
        receiver: receiver.own().id(),
    };
    let opening = thread::spawn(move || opener.open(opener_then));
    let reporting = (fact != Fact::Nothing).then(|| thread::spawn(move || fact.report(&reporter)));
    receiver.receive(receiver_then);
    let mut opener = opening.join().unwrap();
    if let Some(reporting) = reporting {
        reporting.join().unwrap();
    }
    match (&mut opener.event_loop, &mut receiver.event_loop) {
        (Some(one), Some(other)) => {
            let (by_opener, by_receiver) = settle(one, other);
            opener.saw.extend(by_opener);
            receiver.saw.extend(by_receiver);
        }
        _ => {
            opener.drain();
            receiver.drain();
        }
    }

    opener.check(&[Seen::Message(5)], fact.ends_opener());
    receiver.check(&[Seen::Connect, Seen::Message(1)], fact.ends_receiver());
    // G3: open on both sides or on none.
    assert_eq!(opener.is_open(), receiver.is_open());
    let receiver_ended = receiver.disconnected || receiver.detached || receiver.event_loop.is_none();
    let opener_ended = opener_then != Then::Stays;
    let ended = receiver_ended || opener_ended || fact != Fact::Nothing;
    assert_eq!(opener.is_open(), !ended);
    // Who stays hears of an end by others once.
    if opener_then == Then::Stays && !fact.ends_opener() {
        assert_eq!(ends(&opener.saw), usize::from(ended), "{:?}", opener.saw);
    }
    // G1: all of what was posted arrives where nobody was ended from outside.
    if fact == Fact::Nothing {
        if !receiver_ended || receiver.saw_before > 0 {
            assert_eq!(receiver.saw[..2], [Seen::Connect, Seen::Message(1)]);
        }
        if opener_then == Then::Stays {
            assert_eq!(opener.saw.contains(&Seen::Message(5)), receiver.posted, "{:?}", opener.saw);
        }
    }
}

macro_rules! every_order {
    ($fact:ident in $module:ident, bound $bound:literal, at least $floor:literal) => {
        mod $module {
            use super::{Fact, Then::*, model, run};

            every_order!(@ $fact, $bound, [
                opener_stays_receiver_stays(Stays, Stays)
                opener_stays_receiver_disconnects(Stays, Disconnects)
                opener_stays_receiver_detaches(Stays, Detaches)
                opener_stays_receiver_drops(Stays, Drops)
                opener_disconnects_receiver_stays(Disconnects, Stays)
                opener_disconnects_receiver_disconnects(Disconnects, Disconnects)
                opener_disconnects_receiver_detaches(Disconnects, Detaches)
                opener_disconnects_receiver_drops(Disconnects, Drops)
                opener_detaches_receiver_stays(Detaches, Stays)
                opener_detaches_receiver_disconnects(Detaches, Disconnects)
                opener_detaches_receiver_detaches(Detaches, Detaches)
                opener_detaches_receiver_drops(Detaches, Drops)
                opener_drops_receiver_stays(Drops, Stays)
                opener_drops_receiver_disconnects(Drops, Disconnects)
                opener_drops_receiver_detaches(Drops, Detaches)
                opener_drops_receiver_drops(Drops, Drops)
            ] $floor);
        }
    };
    (@ $fact:ident, $bound:literal, [$($test:ident($opener:ident, $receiver:ident))*] $floor:literal) => {
        $(
            #[test]
            fn $test() {
                model(Some($bound), $floor, || run($opener, $receiver, Fact::$fact));
            }
        )*
    };
}

every_order!(Nothing in nothing_happens, bound 3, at least 630);
every_order!(TabCloses in the_tab_closes, bound 2, at least 250);
every_order!(FrameNavigates in the_frame_navigates, bound 2, at least 250);
every_order!(ExtensionUnloads in the_extension_is_unloaded, bound 2, at least 680);
every_order!(ReceiverHangs in the_receiver_hangs, bound 2, at least 260);
every_order!(OpenerHangs in the_opener_hangs, bound 2, at least 390);
