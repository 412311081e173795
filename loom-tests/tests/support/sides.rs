//! An opener and a receiver on threads of their own, and a browser that reports a fact
//! meanwhile: what each does and when, and what must hold in the end.

use super::{PLACE, Seen, TAB, browser_with, connect_runtime, drain, ends, seen, settle};
use loom::thread;
use port_core_model::{
    ContextId, DocumentId, Event, EventLoop, EventLoopId, ExtensionInstance, Limits, MessageService,
    Policies, PortId, TabTarget,
};

/// What a side does at its moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Stays,
    Disconnects,
    Detaches,
    Drops,
}

/// When a side does that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The receiver: before it takes anything. It has no port to disconnect then.
    First,
    /// With the connection made or taken, and nothing said.
    Connected,
    /// The receiver: after it answered the connection with a post.
    Answered,
    /// The opener: after its first post. The receiver: after it answered the connection
    /// and heard the first message.
    Spoken,
}

/// What the browser reports meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    Nothing,
    TabCloses,
    FrameNavigates,
    ExtensionUnloads,
    ReceiverHangs,
    OpenerHangs,
}

impl Fact {
    /// Whether it concerns the content script's document.
    fn ends_tab(self) -> bool {
        matches!(self, Self::TabCloses | Self::FrameNavigates | Self::ExtensionUnloads)
    }

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
}

/// The browser's thread.
struct Reporter {
    service: MessageService,
    extension: ExtensionInstance,
    opener: EventLoopId,
    receiver: EventLoopId,
}

/// Who connects to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// `tabs.connect`, from a background to a content script.
    ToTheTab,
    /// `runtime.connect`, from a content script to its background.
    FromTheTab,
}

/// What is to happen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    pub(crate) policies: Policies,
    pub(crate) way: Way,
    pub(crate) opener: (Moment, Then),
    pub(crate) receiver: (Moment, Then),
    pub(crate) fact: Fact,
}

impl Scene {
    fn ends_opener(&self) -> bool {
        self.ends(Way::FromTheTab) || self.fact == Fact::OpenerHangs
    }

    fn ends_receiver(&self) -> bool {
        self.ends(Way::ToTheTab) || self.fact == Fact::ReceiverHangs
    }

    /// Whether the fact ends the side that lives in the tab when connections go this way.
    fn ends(&self, way: Way) -> bool {
        self.fact == Fact::ExtensionUnloads || (self.fact.ends_tab() && self.way == way)
    }

    /// Plays it, and checks what everybody saw.
    pub(crate) fn play(self) {
        let browser = browser_with(Limits::default(), self.policies);
        let (background, content_script) = (browser.background_loop(), browser.content_script_loop(PLACE));
        let (opener, receiver) = match self.way {
            Way::ToTheTab => (background, content_script),
            Way::FromTheTab => (content_script, background),
        };
        let (mut opener, mut receiver) = (Side::new(opener), Side::new(receiver));
        let reporter = Reporter {
            service: browser.service.clone(),
            extension: browser.extension,
            opener: opener.own().id(),
            receiver: receiver.own().id(),
        };
        let opening = thread::spawn(move || opener.open(self.way, self.opener));
        let reporting =
            (self.fact != Fact::Nothing).then(|| thread::spawn(move || self.fact.report(&reporter)));
        receiver.receive(self.receiver);
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
        self.check(opener, receiver);
    }

    fn check(&self, mut opener: Side, mut receiver: Side) {
        // One end, and order.
        opener.check(&[Seen::Message(5)], self.ends_opener());
        receiver.check(&[Seen::Connect, Seen::Message(1)], self.ends_receiver());
        // No half-open port: it is open on both sides or on none.
        assert_eq!(opener.is_open(), receiver.is_open());
        let receiver_ended = receiver.disconnected || receiver.detached || receiver.event_loop.is_none();
        let opener_ended = self.opener.1 != Then::Stays;
        let ended = receiver_ended || opener_ended || self.fact != Fact::Nothing;
        assert_eq!(opener.is_open(), !ended);
        // Who stays hears of an end by others once.
        if !opener_ended && !self.ends_opener() {
            assert_eq!(ends(&opener.saw), usize::from(ended), "{:?}", opener.saw);
        }
        // Delivery: all of what was posted arrives where nobody was ended from outside.
        if self.fact == Fact::Nothing {
            if !receiver_ended || receiver.saw_before > 0 {
                let sent = if opener.posted { 2 } else { 1 };
                let heard = if receiver_ended { receiver.saw_before.min(sent) } else { sent };
                assert_eq!(receiver.saw[..heard], [Seen::Connect, Seen::Message(1)][..heard]);
            }
            if !opener_ended {
                assert_eq!(opener.saw.contains(&Seen::Message(5)), receiver.posted, "{:?}", opener.saw);
            }
        }
    }
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

    fn open(mut self, way: Way, (moment, then): (Moment, Then)) -> Self {
        let context = self.context;
        let port = match way {
            Way::ToTheTab => self.own().connect_tab(context, &TabTarget::new(TAB)),
            Way::FromTheTab => connect_runtime(self.own(), context, ""),
        };
        self.port = port.ok();
        if self.port.is_some() {
            if moment == Moment::Spoken {
                self.post(1);
            }
            self.end(then);
        }
        self.drain();
        self
    }

    fn receive(&mut self, (moment, then): (Moment, Then)) {
        if moment == Moment::First {
            self.end(then);
        }
        while let Some(event) = self.event_loop.as_mut().and_then(EventLoop::next_event) {
            self.saw.push(seen(&event));
            match event {
                Event::Connect { port, .. } => {
                    self.port = Some(port);
                    if moment == Moment::Connected {
                        self.end(then);
                        break;
                    }
                    self.post(5);
                    if moment == Moment::Answered {
                        self.end(then);
                        break;
                    }
                }
                Event::Message { .. } if moment == Moment::Spoken => {
                    self.end(then);
                    break;
                }
                _ => {}
            }
        }
        self.drain();
    }

    /// In order, each at most once, nothing after the end; and nothing but the context's
    /// own end after this side ended the port.
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
