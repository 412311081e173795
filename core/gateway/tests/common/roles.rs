//! What the renderers of the tests do. A role is a word, with what follows a colon as its parameter.

use super::recording;
use port_core::{Listening, PostErrorKind, TabId};
use port_core_gateway::unix::{Connection, ConnectionError};
use port_core_gateway::wire::Up;
use port_core_gateway::{Content, ContextNumber, InTab, OfExtension, PortNumber, StubEvent};
use rustix::process::{Signal, getpid, kill_process};
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};

/// The test that a renderer runs, by its name, which does nothing where no role is given.
pub const TEST: &str = "renderer_process";
pub const VARIABLE: &str = "PORT_CORE_RENDERER";

/// Plays the role that the environment names, if any.
pub fn play() {
    let Ok(role) = std::env::var(VARIABLE) else { return };
    let (role, parameter) = role.split_once(':').unwrap_or((&role, ""));
    let number = || parameter.parse::<u64>().unwrap();
    match role {
        "mdn-background" => mdn_background(),
        "mdn-content-script" => mdn_content_script(),
        "echo" => echo(),
        "counter" => counter(number()),
        "collector" => collector(),
        "recorded" => recorded(number()),
        "flooder" => flooder(),
        "crosser" => crosser(number()),
        "hanger-up" => hanger_up(),
        "liar" => liar(number()),
        other => panic!("no role {other}"),
    }
}

/// The socket that the browser gave, as standard input.
fn socket() -> OwnedFd {
    std::io::stdin().as_fd().try_clone_to_owned().unwrap()
}

/// A connection to the browser, which attaches what it is granted.
struct Renderer {
    connection: Connection,
}

impl Renderer {
    fn new() -> Self {
        Self { connection: Connection::new(socket()).unwrap() }
    }

    /// The next event; `None` once the browser is done with this.
    fn hear(&mut self) -> Option<StubEvent> {
        match self.connection.wait(None) {
            Ok(event) => event,
            Err(ConnectionError::Closed) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// Waits for a grant, attaches it, and gives the label.
    fn attach(&mut self) -> (ContextNumber, String) {
        match self.hear() {
            Some(StubEvent::Granted { context, label, .. }) => {
                self.attach_granted(context);
                (context, String::from_utf8(label.to_vec()).unwrap())
            }
            other => panic!("expected a grant, got {other:?}"),
        }
    }

    fn attach_granted(&mut self, context: ContextNumber) {
        self.connection.stub().attach(context).unwrap();
        self.connection.stub().set_listening(context, Listening::PORTS).unwrap();
    }

    /// Posts; waits for room while there is none. Gives what came meanwhile to `hear`.
    fn post(&mut self, port: PortNumber, text: &str, mut hear: impl FnMut(&mut Self, StubEvent)) {
        loop {
            match self.connection.stub().post_message(port, text) {
                Ok(()) => return,
                Err(PostErrorKind::WindowFull) => match self.hear() {
                    Some(StubEvent::Room { .. }) => {}
                    Some(event) => hear(self, event),
                    None => return,
                },
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn text(event: &StubEvent) -> &str {
    match event {
        StubEvent::Message { payload, .. } => std::str::from_utf8(payload).unwrap(),
        other => panic!("expected a message, got {other:?}"),
    }
}

fn tab(label: &str) -> TabId {
    TabId::new(label.parse().unwrap())
}

/// The example of `tabs.connect` in MDN: connects to a tab, says "hi there", and hears an answer.
fn mdn_background() {
    let mut renderer = Renderer::new();
    let (background, label) = renderer.attach();
    let stub = renderer.connection.stub();
    let port = stub.connect_tab(background, &InTab::new(tab(&label)).name("tabs-connect-example")).unwrap();
    stub.post_message(port, r#"{"greeting":"hi from background script"}"#).unwrap();
    let answer = renderer.hear().unwrap();
    assert_eq!(text(&answer), r#"{"greeting":"hi from content script"}"#);
    renderer.connection.stub().disconnect(port);
    assert!(renderer.connection.flush().unwrap());
}

fn mdn_content_script() {
    let mut renderer = Renderer::new();
    let (script, label) = renderer.attach();
    let Some(StubEvent::Connect { context, port, name, sender, .. }) = renderer.hear() else { panic!() };
    assert_eq!((context, &*name, &*sender.url), (script, "tabs-connect-example", &*label));
    let greeting = renderer.hear().unwrap();
    assert_eq!(text(&greeting), r#"{"greeting":"hi from background script"}"#);
    renderer.connection.stub().post_message(port, r#"{"greeting":"hi from content script"}"#).unwrap();
    assert!(matches!(renderer.hear(), Some(StubEvent::Disconnect { port: ended, .. }) if ended == port));
}

/// Attaches everything, and answers every message with itself.
fn echo() {
    let mut renderer = Renderer::new();
    while let Some(event) = renderer.hear() {
        match event {
            StubEvent::Granted { context, .. } => renderer.attach_granted(context),
            StubEvent::Message { port, payload, .. } => {
                renderer.connection.stub().post_message(port, &payload[..]).unwrap();
            }
            _ => {}
        }
    }
}

/// Connects to its extension's other contexts and counts up to a number, or for ever where that is 0; then waits to
/// be let go.
fn counter(most: u64) {
    let mut renderer = Renderer::new();
    let (context, _) = renderer.attach();
    let port = renderer.connection.stub().connect_runtime(context, &OfExtension::own()).unwrap();
    for number in 0..if most == 0 { u64::MAX } else { most } {
        renderer.post(port, &number.to_string(), |_, _| {});
        if number % 64 == 0 {
            renderer.connection.flush().unwrap();
        }
    }
    while renderer.hear().is_some() {}
}

/// Takes a connection and checks that what comes on it counts up, to where "all N" says.
fn collector() {
    let mut renderer = Renderer::new();
    renderer.attach();
    let mut next = 0;
    while let Some(event) = renderer.hear() {
        let StubEvent::Message { .. } = event else { continue };
        match text(&event).split_once(' ') {
            Some(("all", all)) => {
                assert_eq!(all, next.to_string());
                return;
            }
            _ => assert_eq!(text(&event).trim_start(), next.to_string()),
        }
        next += 1;
    }
    panic!("the end came before all");
}

/// Sends so many bytes of the recording, and is killed.
fn recorded(most: u64) {
    let mut socket = File::from(socket());
    socket.write_all(&recording().1[..usize::try_from(most).unwrap()]).unwrap();
    kill_process(getpid(), Signal::KILL).unwrap();
}

/// Connects to the tab that its label names, and posts as much as it may until it is told "enough"; then says how
/// much that was.
fn flooder() {
    let mut renderer = Renderer::new();
    let (background, label) = renderer.attach();
    let port = renderer.connection.stub().connect_tab(background, &InTab::new(tab(&label))).unwrap();
    let (mut posted, mut enough) = (0_u64, false);
    while !enough {
        let message = format!("{posted:>1000}");
        renderer.post(port, &message, |_, event| enough |= text_is(&event, "enough"));
        posted += 1;
        if posted.is_multiple_of(64) {
            renderer.connection.flush().unwrap();
            while let Some(event) = renderer.connection.next_event().unwrap() {
                enough |= text_is(&event, "enough");
            }
        }
    }
    renderer.post(port, &format!("all {posted}"), |_, _| {});
    while renderer.hear().is_some() {}
}

fn text_is(event: &StubEvent, expected: &str) -> bool {
    matches!(event, StubEvent::Message { payload, .. } if *payload == expected)
}

/// Connects to the tab that its label names so many times, with a message and a disconnect each.
fn crosser(times: u64) {
    let mut renderer = Renderer::new();
    let (background, label) = renderer.attach();
    for number in 0..times {
        let stub = renderer.connection.stub();
        let port = stub.connect_tab(background, &InTab::new(tab(&label))).unwrap();
        stub.post_message(port, "hello").unwrap();
        // Every other one gives the other side time to end it as well.
        if number % 2 == 0 {
            renderer.connection.flush().unwrap();
            while let Ok(Some(event)) = renderer.connection.next_event() {
                assert!(matches!(event, StubEvent::Disconnect { .. }), "{event:?}");
            }
        }
        renderer.connection.stub().disconnect(port);
    }
    let stub = renderer.connection.stub();
    let port = stub.connect_tab(background, &InTab::new(tab(&label)).name("last")).unwrap();
    loop {
        match renderer.hear() {
            Some(StubEvent::Disconnect { port: ended, .. }) if ended == port => break,
            Some(_) => {}
            None => panic!("the last port did not end"),
        }
    }
    assert_eq!(renderer.connection.stub().ports(background).count(), 0);
}

/// Ends every port at its first message, and the one called "last" at once, until it is let go.
fn hanger_up() {
    let mut renderer = Renderer::new();
    let (context, _) = renderer.attach();
    let mut last = false;
    let mut ended = std::collections::HashSet::new();
    while let Some(event) = renderer.hear() {
        match event {
            StubEvent::Connect { port, name, .. } if &*name == "last" => {
                last = renderer.connection.stub().disconnect(port);
            }
            StubEvent::Message { port, .. } => {
                assert!(renderer.connection.stub().disconnect(port) && ended.insert(port));
            }
            StubEvent::Disconnect { port, .. } => assert!(ended.insert(port), "{port:?} ended twice"),
            _ => {}
        }
    }
    assert!(last && renderer.connection.stub().ports(context).count() == 0);
}

/// Attaches what it is granted, then tries a number as a port and as a context, in the way that its parameter says.
fn liar(way: u64) {
    let mut renderer = Renderer::new();
    let (_, label) = renderer.attach();
    assert!(renderer.connection.flush().unwrap());
    let number = label.parse().unwrap();
    let (port, context) = (PortNumber::from_bits(number), ContextNumber::from_bits(number));
    let target = OfExtension::own();
    let frame = match way {
        0 => Up::Post { port, content: Content::from("forged") },
        1 => Up::Disconnect { port },
        2 => Up::Detach { context },
        3 => Up::Attach { context },
        4 => Up::Listen { context, listening: Listening::PORTS },
        5 => Up::ConnectTab { context, port: PortNumber::from_bits(2), target: InTab::new(TabId::new(1)) },
        _ => Up::ConnectRuntime { context, port: PortNumber::from_bits(2), target },
    };
    let mut bytes = Vec::new();
    frame.write(&mut bytes);
    let mut socket = File::from(socket());
    socket.write_all(&bytes).unwrap();
    // Not let go by itself: the browser ends it.
    while renderer.hear().is_some() {}
    loop {
        std::thread::park();
    }
}
