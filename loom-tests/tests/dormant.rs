//! Backgrounds that are started on demand: those that wait for one, against everything that ends the wait.

extern crate port_core_model as port_core;

mod support;

use loom::thread;
use port_core_model::DisconnectReason::{BackgroundNotStarted, EventLoopGone, NoReceiver, TabClosed};
use port_core_model::{
    ContextId, EventLoop, ExtensionDescription, ExtensionInstance, Listening, MessageService, PortId,
    RuntimeTarget, TabTarget,
};
use support::{
    Browser, PLACE, Seen, TAB, connect_runtime, content_script_of, counting_waker, describe_background,
    drain, listen_for, model, settle,
};

const READY: Listening = Listening::PORTS.ready(true);

/// A content script, and the place where its extension's background is to run.
struct Sleeper {
    browser: Browser,
    extension: ExtensionInstance,
    page: EventLoop,
    script: ContextId,
    home: EventLoop,
}

impl Sleeper {
    fn new() -> Self {
        let browser = Browser::of(MessageService::default());
        browser.tab_at(PLACE);
        let description = ExtensionDescription::new("sleeper@example").background_on_demand();
        let extension = browser.service.extension_loaded(description).unwrap();
        let (mut page, home) = (browser.event_loop(), browser.event_loop());
        let script = content_script_of(extension, &mut page, PLACE);
        Self { browser, extension, page, script, home }
    }

    fn attach(&mut self) -> ContextId {
        self.home.attach(describe_background(self.extension)).unwrap()
    }

    fn connect(&mut self) -> PortId {
        connect_runtime(&mut self.page, self.script, "").unwrap()
    }

    fn is_wanted(&self) -> bool {
        self.browser.service.next_wanted_background().is_some()
    }
}

/// A connect finds the background asleep while it gets ready: it goes there all the same, once.
#[test]
fn a_connect_against_getting_ready() {
    model(None, 16, || {
        let mut sleeper = Sleeper::new();
        let background = sleeper.attach();
        let mut home = sleeper.home;
        let starting = thread::spawn(move || {
            home.set_listening(background, READY).unwrap();
            home
        });
        let port = connect_runtime(&mut sleeper.page, sleeper.script, "").unwrap();
        sleeper.page.post_message(port, &[1]).unwrap();
        let mut home = starting.join().unwrap();
        let (page_saw, home_saw) = settle(&mut sleeper.page, &mut home);
        assert_eq!((page_saw, home_saw), (vec![], vec![Seen::Connect, Seen::Message(1)]));
    });
}

/// A start is given up while a second connect joins the one that waits: that one ends, and the second ends with it or
/// has the background asked for again.
#[test]
fn a_connect_against_giving_up() {
    model(None, 8, || {
        let mut sleeper = Sleeper::new();
        let first = sleeper.connect();
        assert!(sleeper.is_wanted());
        let (service, extension) = (sleeper.browser.service.clone(), sleeper.extension);
        let giving_up =
            thread::spawn(move || service.give_up_background(extension, BackgroundNotStarted).unwrap());
        let second = sleeper.connect();
        giving_up.join().unwrap();
        let saw = drain(&mut sleeper.page);
        assert!(!sleeper.page.is_open(first));
        if sleeper.page.is_open(second) {
            assert_eq!(saw, [Seen::Disconnect(BackgroundNotStarted)]);
            assert!(sleeper.is_wanted());
        } else {
            assert_eq!(saw, [Seen::Disconnect(BackgroundNotStarted); 2]);
            assert!(!sleeper.is_wanted());
        }
    });
}

/// The browser gives up just when the background gets ready: what waited is connected or ends, once.
#[test]
fn getting_ready_against_giving_up() {
    model(None, 4, || {
        let mut sleeper = Sleeper::new();
        let port = sleeper.connect();
        let background = sleeper.attach();
        let (service, extension) = (sleeper.browser.service.clone(), sleeper.extension);
        let giving_up =
            thread::spawn(move || service.give_up_background(extension, BackgroundNotStarted).unwrap());
        sleeper.home.set_listening(background, READY).unwrap();
        giving_up.join().unwrap();
        let (page_saw, home_saw) = settle(&mut sleeper.page, &mut sleeper.home);
        if sleeper.page.is_open(port) {
            assert_eq!((page_saw, home_saw), (vec![], vec![Seen::Connect]));
        } else {
            assert_eq!((page_saw, home_saw), (vec![Seen::Disconnect(BackgroundNotStarted)], vec![]));
        }
        assert!(!sleeper.is_wanted());
        // It is ready now, whichever came first.
        sleeper.connect();
        let (page_saw, home_saw) = settle(&mut sleeper.page, &mut sleeper.home);
        assert_eq!((page_saw, home_saw), (vec![], vec![Seen::Connect]));
    });
}

/// The background's thread is declared gone just when it gets ready.
#[test]
fn getting_ready_against_the_end_of_its_event_loop() {
    model(Some(3), 45, || {
        let mut sleeper = Sleeper::new();
        let port = sleeper.connect();
        assert!(sleeper.is_wanted());
        let background = sleeper.attach();
        let (service, home) = (sleeper.browser.service.clone(), sleeper.home.id());
        let crashing = thread::spawn(move || service.event_loop_gone(home).unwrap());
        let _gone_meanwhile = sleeper.home.set_listening(background, READY);
        crashing.join().unwrap();
        let (page_saw, _) = settle(&mut sleeper.page, &mut sleeper.home);
        assert!(matches!(page_saw[..], [] | [Seen::Disconnect(EventLoopGone | NoReceiver)]), "{page_saw:?}");
        // What still waits has asked for another start, as anyone does from now on.
        let waits = sleeper.page.is_open(port);
        assert_eq!(waits, page_saw.is_empty());
        sleeper.connect();
        assert!(sleeper.is_wanted());
    });
}

/// The opener's tab is closed while it waits, and the background gets ready.
#[test]
fn getting_ready_against_the_opener_s_end() {
    model(Some(3), 900, || {
        let mut sleeper = Sleeper::new();
        let port = sleeper.connect();
        sleeper.page.post_message(port, &[1]).unwrap();
        let background = sleeper.attach();
        let service = sleeper.browser.service.clone();
        let closing = thread::spawn(move || service.tab_closed(TAB).unwrap());
        sleeper.home.set_listening(background, READY).unwrap();
        let mut page_saw = drain(&mut sleeper.page);
        closing.join().unwrap();
        let (later, home_saw) = settle(&mut sleeper.page, &mut sleeper.home);
        page_saw.extend(later);
        assert_eq!(page_saw, [Seen::Gone(TabClosed)]);
        assert!(
            matches!(
                home_saw[..],
                [] | [Seen::Connect, Seen::Message(1), Seen::Disconnect(TabClosed)]
                    | [Seen::Connect, Seen::Disconnect(TabClosed)]
            ),
            "{home_saw:?}"
        );
    });
}

/// What a loop sends while the notice of the start is on its way does not overtake what waited.
#[test]
fn a_second_connect_against_getting_ready() {
    model(Some(3), 9, || {
        let mut sleeper = Sleeper::new();
        let first = sleeper.connect();
        sleeper.page.post_message(first, &[1]).unwrap();
        let background = sleeper.attach();
        let mut home = sleeper.home;
        let starting = thread::spawn(move || {
            home.set_listening(background, READY).unwrap();
            home
        });
        let second = connect_runtime(&mut sleeper.page, sleeper.script, "").unwrap();
        sleeper.page.post_message(second, &[2]).unwrap();
        let mut home = starting.join().unwrap();
        let (page_saw, home_saw) = settle(&mut sleeper.page, &mut home);
        let expected = vec![Seen::Connect, Seen::Message(1), Seen::Connect, Seen::Message(2)];
        assert_eq!((page_saw, home_saw), (vec![], expected));
    });
}

/// Two event loops find the background asleep at once: the browser is asked once, and both reach it.
#[test]
fn two_openers_at_once() {
    model(Some(3), 10, || {
        let mut sleeper = Sleeper::new();
        let (waker, wakes) = counting_waker();
        sleeper.browser.service.set_background_waker(waker);
        let mut other = sleeper.browser.event_loop();
        let page = other.attach(port_core_model::ContextDescription::page(sleeper.extension)).unwrap();
        let opening = thread::spawn(move || {
            other.connect_runtime(page, &RuntimeTarget::own()).unwrap();
            other
        });
        sleeper.connect();
        let mut other = opening.join().unwrap();
        assert_eq!(wakes.count(), 1);
        assert!(sleeper.is_wanted() && !sleeper.is_wanted());
        listen_for(&mut sleeper.home, describe_background(sleeper.extension), READY);
        let (_, mut home_saw) = settle(&mut sleeper.page, &mut sleeper.home);
        home_saw.extend(settle(&mut other, &mut sleeper.home).1);
        // The other page listens to nobody, and refuses the first, which is all the same to it.
        assert_eq!(home_saw, [Seen::Connect; 2]);
    });
}

/// The browser's main loop looks for what is wanted, and sleeps, while somebody connects.
#[test]
fn the_browser_s_look_against_the_first_connect() {
    model(None, 4, || {
        let mut sleeper = Sleeper::new();
        let (waker, wakes) = counting_waker();
        sleeper.browser.service.set_background_waker(waker);
        let service = sleeper.browser.service.clone();
        let main_loop = thread::spawn(move || service.next_wanted_background().is_some());
        sleeper.connect();
        let found = main_loop.join().unwrap();
        assert_eq!(wakes.count(), 1);
        assert_eq!(sleeper.is_wanted(), !found);
    });
}

/// A start is given up and wanted again by a second loop, before the first loop has queued that it wants the background:
/// the browser is asked once for what it was not asked for before.
#[test]
fn a_start_given_up_and_wanted_again_is_asked_for_once() {
    model(None, 80, || {
        let mut sleeper = Sleeper::new();
        let mut other = sleeper.browser.event_loop();
        let page = other.attach(port_core_model::ContextDescription::page(sleeper.extension)).unwrap();
        let (mut first, script) = (sleeper.page, sleeper.script);
        let opening = thread::spawn(move || {
            connect_runtime(&mut first, script, "").unwrap();
            first
        });
        let service = sleeper.browser.service.clone();
        service.give_up_background(sleeper.extension, BackgroundNotStarted).unwrap();
        other.connect_runtime(page, &RuntimeTarget::own()).unwrap();
        let asked = service.next_wanted_background().is_some();
        sleeper.page = opening.join().unwrap();
        let later = service.next_wanted_background().is_some();
        assert!(asked != later, "asked {asked}, and later {later}");
    });
}

/// The background connects to the loop that waits for it as soon as it is ready: the word and the lanes come one after
/// the other, and both are reached.
#[test]
fn connecting_back_against_the_word_that_it_is_ready() {
    model(Some(3), 200, || {
        let mut sleeper = Sleeper::new();
        sleeper.connect();
        let background = sleeper.attach();
        let mut home = sleeper.home;
        let starting = thread::spawn(move || {
            home.set_listening(background, READY).unwrap();
            home.connect_tab(background, &TabTarget::new(TAB)).unwrap();
            home
        });
        let mut page_saw = drain(&mut sleeper.page);
        let mut home = starting.join().unwrap();
        let (later, home_saw) = settle(&mut sleeper.page, &mut home);
        page_saw.extend(later);
        assert_eq!((page_saw, home_saw), (vec![Seen::Connect], vec![Seen::Connect]));
    });
}
