//! Backgrounds that are stopped in the moment in which somebody connects to them: the connect waits for the next start, if
//! nobody has taken it.

extern crate port_core_model as port_core;

mod support;

use loom::thread;
use port_core_model::DisconnectReason::{BackgroundStopped, Disconnected, NoReceiver, TabClosed};
use port_core_model::{
    ConnectKind, ContextDescription, ContextId, EventLoop, ExtensionDescription, ExtensionInstance,
    Listening, MessageService, PortId, RuntimeTarget,
};
use support::{
    Browser, PLACE, Seen, TAB, connect_runtime, content_script_of, describe_background, drain, listen_for,
    model, settle,
};

const READY: Listening = Listening::PORTS.one_off(true).ready(true);

/// A content script, and its extension's background, which runs.
struct Awake {
    service: MessageService,
    browser: Browser,
    extension: ExtensionInstance,
    page: EventLoop,
    script: ContextId,
    home: EventLoop,
    background: ContextId,
    page_saw: Vec<Seen>,
    home_saw: Vec<Seen>,
}

impl Awake {
    /// The loops meet when the first connects.
    fn new() -> Self {
        let browser = Browser::of(MessageService::default());
        browser.tab_at(PLACE);
        let description = ExtensionDescription::new("sleeper@example").background_on_demand();
        let extension = browser.service.extension_loaded(description).unwrap();
        let (mut page, mut home) = (browser.event_loop(), browser.event_loop());
        let script = content_script_of(extension, &mut page, PLACE);
        let background = listen_for(&mut home, describe_background(extension), READY);
        let service = browser.service.clone();
        let (page_saw, home_saw) = Default::default();
        Self { service, browser, extension, page, script, home, background, page_saw, home_saw }
    }

    /// The loops have met.
    fn acquainted() -> Self {
        let mut awake = Self::new();
        let port = awake.connect();
        settle(&mut awake.page, &mut awake.home);
        awake.page.disconnect(port);
        settle(&mut awake.page, &mut awake.home);
        awake
    }

    fn connect(&mut self) -> PortId {
        connect_runtime(&mut self.page, self.script, "").unwrap()
    }

    fn connect_and_post(&mut self, mark: u8) -> PortId {
        let port = self.connect();
        self.page.post_message(port, &[mark]).unwrap();
        port
    }

    /// Stops the background on a thread of its own.
    fn stop(&self) -> thread::JoinHandle<()> {
        let (service, extension) = (self.service.clone(), self.extension);
        thread::spawn(move || service.stop_background(extension).unwrap())
    }

    fn settle(&mut self) {
        let (page_saw, home_saw) = settle(&mut self.page, &mut self.home);
        self.page_saw.extend(page_saw);
        self.home_saw.extend(home_saw);
    }

    fn drain_home(&mut self) {
        self.home_saw.extend(drain(&mut self.home));
    }

    /// Has all that is under way arrive, and starts the background once more if somebody waits for it.
    fn settle_and_start(&mut self) {
        self.settle();
        if self.service.next_wanted_background().is_some() {
            listen_for(&mut self.home, describe_background(self.extension), READY);
            self.settle();
        }
    }

    /// What the backgrounds saw, but for the end of the first.
    fn home_heard(&self) -> Vec<Seen> {
        self.home_saw.iter().filter(|seen| **seen != Seen::Gone(BackgroundStopped)).copied().collect()
    }

    /// One connect with a post was taken once: before the stop, and ended with it, or by the next start.
    fn assert_taken_once(&self, port: PortId) {
        let before = self.page_saw == [Seen::Disconnect(BackgroundStopped)];
        assert!(before || self.page_saw.is_empty(), "{:?}", self.page_saw);
        let heard = self.home_heard();
        // What was posted goes with a background that had taken the connection alone.
        let alone = before && heard == [Seen::Connect];
        assert!(alone || heard == [Seen::Connect, Seen::Message(1)], "{:?}", self.home_saw);
        assert_eq!(self.page.is_open(port), !before);
    }
}

/// A connect finds the background just when it is stopped: it is taken before that and ends with it, or it waits and
/// is taken by the next. It is neither refused nor lost, and is taken once.
#[test]
fn a_connect_against_a_stop() {
    model(Some(3), 580, || {
        let mut awake = Awake::acquainted();
        let stopping = awake.stop();
        let port = awake.connect_and_post(1);
        awake.drain_home();
        stopping.join().unwrap();
        awake.settle_and_start();
        awake.assert_taken_once(port);
    });
}

/// The same with a one-off message.
#[test]
fn a_one_off_message_against_a_stop() {
    model(Some(3), 580, || {
        let mut awake = Awake::acquainted();
        let stopping = awake.stop();
        let target = RuntimeTarget::own().kind(ConnectKind::OneOff);
        let port = awake.page.connect_runtime(awake.script, &target).unwrap();
        awake.page.post_message(port, &[1]).unwrap();
        awake.drain_home();
        stopping.join().unwrap();
        awake.settle_and_start();
        awake.assert_taken_once(port);
    });
}

/// The same where the loops meet with this connect.
#[test]
fn a_first_connect_against_a_stop() {
    model(Some(2), 289, || {
        let mut awake = Awake::new();
        let stopping = awake.stop();
        let port = awake.connect_and_post(1);
        awake.drain_home();
        stopping.join().unwrap();
        awake.settle_and_start();
        awake.assert_taken_once(port);
    });
}

/// The opener disconnects before the answer: the connection, the post and the end arrive all the same.
#[test]
fn a_connect_that_is_left_at_once_against_a_stop() {
    model(Some(3), 800, || {
        let mut awake = Awake::acquainted();
        let stopping = awake.stop();
        let port = awake.connect_and_post(1);
        awake.page.disconnect(port);
        awake.drain_home();
        stopping.join().unwrap();
        awake.settle_and_start();
        assert_eq!(awake.page_saw, []);
        let heard = awake.home_heard();
        let expected = [Seen::Connect, Seen::Message(1), Seen::Disconnect(Disconnected)];
        // What a background took that is then stopped goes with it.
        assert!(!heard.is_empty() && expected.starts_with(&heard), "{heard:?}");
        if !awake.home_saw.starts_with(&[Seen::Connect]) {
            assert_eq!(heard, expected);
        }
        assert!(awake.page.snapshot().ports.is_empty());
    });
}

/// The background's loop takes the connection while it is stopped, and the opener hears of the stop at once: the opener
/// waits for that loop's word, and sends nothing twice.
#[test]
fn taking_a_connect_against_a_stop() {
    model(Some(2), 3_300, || {
        let mut awake = Awake::acquainted();
        let port = awake.connect_and_post(1);
        let stopping = awake.stop();
        let mut home = awake.home;
        let taking = thread::spawn(move || {
            let saw = drain(&mut home);
            (home, saw)
        });
        awake.page_saw = drain(&mut awake.page);
        stopping.join().unwrap();
        awake.page_saw.extend(drain(&mut awake.page));
        (awake.home, awake.home_saw) = taking.join().unwrap();
        awake.settle_and_start();
        awake.assert_taken_once(port);
    });
}

/// Two event loops connect while the background is stopped.
#[test]
fn two_openers_against_a_stop() {
    model(Some(2), 548, || {
        let mut awake = Awake::acquainted();
        let mut other = awake.browser.event_loop();
        let page = other.attach(ContextDescription::page(awake.extension)).unwrap();
        let stopping = awake.stop();
        let opening = thread::spawn(move || {
            other.connect_runtime(page, &RuntimeTarget::own()).unwrap();
            other
        });
        awake.connect();
        let mut other = opening.join().unwrap();
        stopping.join().unwrap();
        let mut other_saw = Vec::new();
        for _ in 0..2 {
            awake.settle();
            other_saw.extend(drain(&mut other));
        }
        awake.settle_and_start();
        other_saw.extend(drain(&mut other));
        awake.settle();
        other_saw.extend(drain(&mut other));
        assert_eq!(awake.home_heard(), [Seen::Connect; 2], "{:?}", awake.home_saw);
        assert_eq!((awake.page_saw, other_saw), (vec![], vec![]));
    });
}

/// The opener's tab is closed while its connect, which met a stop, is refused.
#[test]
fn the_openers_end_against_the_word_of_a_stop() {
    model(Some(3), 513, || {
        let mut awake = Awake::acquainted();
        awake.connect_and_post(1);
        awake.service.stop_background(awake.extension).unwrap();
        let service = awake.service.clone();
        let closing = thread::spawn(move || service.tab_closed(TAB).unwrap());
        awake.drain_home();
        awake.page_saw = drain(&mut awake.page);
        closing.join().unwrap();
        awake.settle_and_start();
        assert_eq!(awake.page_saw, [Seen::Gone(TabClosed)]);
        let heard = awake.home_heard();
        assert_eq!(heard, []);
    });
}

/// What is connected behind the stop, to a background that runs again elsewhere, against the answer to what met the
/// stop: it does not overtake that.
#[test]
fn a_newcomer_against_the_word_of_a_stop() {
    model(Some(3), 420, || {
        let mut awake = Awake::acquainted();
        awake.connect_and_post(1);
        awake.service.stop_background(awake.extension).unwrap();
        let mut home = awake.home;
        let refusing = thread::spawn(move || {
            let saw = drain(&mut home);
            (home, saw)
        });
        let mut elsewhere = awake.browser.event_loop();
        listen_for(&mut elsewhere, describe_background(awake.extension), READY);
        let second = connect_runtime(&mut awake.page, awake.script, "").unwrap();
        awake.page.post_message(second, &[2]).unwrap();
        awake.page_saw = drain(&mut awake.page);
        (awake.home, awake.home_saw) = refusing.join().unwrap();
        awake.settle();
        let heard = settle(&mut awake.page, &mut elsewhere).1;
        assert_eq!(heard, [Seen::Connect, Seen::Message(1), Seen::Connect, Seen::Message(2)]);
        assert_eq!((awake.page_saw, awake.home_saw), (vec![], vec![Seen::Gone(BackgroundStopped)]));
    });
}

/// The same where the first was taken before the stop: the newcomer goes on once that is known.
#[test]
fn a_newcomer_against_the_word_that_the_first_was_taken() {
    model(Some(3), 1_540, || {
        let mut awake = Awake::acquainted();
        awake.connect();
        let mut home = awake.home;
        let (service, extension) = (awake.service.clone(), awake.extension);
        let taking = thread::spawn(move || {
            let taken = home.next_event().is_some();
            service.stop_background(extension).unwrap();
            let saw = drain(&mut home);
            (home, taken, saw)
        });
        awake.page_saw = drain(&mut awake.page);
        let second = connect_runtime(&mut awake.page, awake.script, "").unwrap();
        let (home, taken, saw) = taking.join().unwrap();
        assert!(taken);
        (awake.home, awake.home_saw) = (home, saw);
        awake.settle_and_start();
        // The first ended with the stop, and the second, if that was taken before as well.
        let ended = if awake.page.is_open(second) { 1 } else { 2 };
        assert_eq!(awake.page_saw, vec![Seen::Disconnect(BackgroundStopped); ended]);
        assert_eq!(awake.home_heard(), [Seen::Connect]);
    });
}

/// The background's loop is dropped behind the stop, and the opener may not have met it.
#[test]
fn a_connect_against_a_stop_and_the_end_of_the_event_loop() {
    model(Some(3), 6_970, || {
        let mut awake = Awake::new();
        let home = awake.home;
        let (service, extension) = (awake.service.clone(), awake.extension);
        let stopping = thread::spawn(move || {
            service.stop_background(extension).unwrap();
            drop(home);
        });
        let port = connect_runtime(&mut awake.page, awake.script, "").unwrap();
        awake.page.post_message(port, &[1]).unwrap();
        stopping.join().unwrap();
        awake.home = awake.browser.event_loop();
        awake.page_saw = drain(&mut awake.page);
        awake.settle_and_start();
        assert_eq!(awake.page_saw, []);
        assert!(awake.page.is_open(port));
        assert_eq!(awake.home_saw, [Seen::Connect, Seen::Message(1)]);
    });
}

/// A background whose own loop detaches it is not stopped: a connect that is under way is refused, and asks for no start.
#[test]
fn a_connect_under_way_against_a_detach() {
    model(Some(3), 9, || {
        let mut awake = Awake::acquainted();
        let port = awake.connect_and_post(1);
        let (mut home, background) = (awake.home, awake.background);
        let detaching = thread::spawn(move || {
            home.detach(background).unwrap();
            let saw = drain(&mut home);
            (home, saw)
        });
        awake.page_saw = drain(&mut awake.page);
        (awake.home, awake.home_saw) = detaching.join().unwrap();
        awake.settle();
        assert_eq!((&awake.page_saw, &awake.home_saw), (&vec![Seen::Disconnect(NoReceiver)], &vec![]));
        assert!(!awake.page.is_open(port));
        assert_eq!(awake.service.next_wanted_background(), None);
    });
}
