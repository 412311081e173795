//! What a renderer sends to one context arrives in the order of its calls, across ports, connects, messages and
//! disconnects, also while lanes and windows are full, and all of it does.

mod common;

use common::{Browser, Dice, Renderer, texts};
use port_core::{DisconnectReason, Event, EventLoop, Limits, PostErrorKind, TabId};
use port_core_gateway::{Bounds, ContextNumber, InTab, PortNumber, StubEvent};
use std::collections::{HashMap, VecDeque};

/// What is sent to one tab, in order.
#[derive(Debug, PartialEq, Eq)]
enum Sent {
    Connect(String),
    Message(String),
    Disconnect,
}

/// A tab with a content script on a thread of the browser, and what it is yet to hear.
struct Tab {
    tab: TabId,
    event_loop: EventLoop,
    ports: Vec<PortNumber>,
    sent: VecDeque<(PortNumber, Sent)>,
    /// Which of the opener's ports an end belongs to.
    opener: HashMap<port_core::PortId, PortNumber>,
    heard: usize,
}

impl Tab {
    fn hear(&mut self, most: usize) {
        for _ in 0..most {
            let Some(event) = self.event_loop.next_event() else { break };
            self.heard += 1;
            let (port, next) = self.sent.pop_front().expect("nothing comes that was not sent");
            let (received, got) = match event {
                Event::Connect { port: received, name, .. } => {
                    self.opener.insert(received, port);
                    (received, Sent::Connect(name.to_string()))
                }
                Event::Message { port: received, payload, .. } => {
                    (received, Sent::Message(String::from_utf8(payload.to_vec()).unwrap()))
                }
                Event::Disconnect { port: received, reason: DisconnectReason::Disconnected, .. } => {
                    (received, Sent::Disconnect)
                }
                other => panic!("{other:?}"),
            };
            assert_eq!((self.opener[&received], got), (port, next));
        }
    }
}

fn run(seed: u64) -> usize {
    let mut dice = Dice::new(seed);
    let mut limits = Limits::default().lane_records([4, 9, 1 << 20][dice.below(3)]);
    limits = limits.window_messages([None, Some(1), Some(3)][dice.below(3)]);
    let browser = Browser::with_limits(limits);
    let bounds = Bounds::default()
        .port_messages([1, 7, 1 << 10][dice.below(3)])
        .messages([40, 300][dice.below(2)])
        .port_bytes([50, 1 << 20][dice.below(2)]);
    let mut renderer = Renderer::with(&browser.service, bounds);
    let background = renderer.background(&browser);
    let mut tabs: Vec<_> = (0..3)
        .map(|_| {
            let place = browser.tab();
            let (event_loop, _) = browser.content_script_loop(place);
            let (ports, sent, opener) = (Vec::new(), VecDeque::new(), HashMap::new());
            Tab { tab: place.tab, event_loop, ports, sent, opener, heard: 0 }
        })
        .collect();
    for number in 0..600 {
        let tab = &mut tabs[dice.below(3)];
        match dice.below(12) {
            0 => connect(&mut renderer, background, tab, number),
            1 => {
                if let Some(port) = dice.take(&mut tab.ports) {
                    renderer.stub.disconnect(port);
                    tab.sent.push_back((port, Sent::Disconnect));
                }
            }
            2..=7 => {
                let Some(port) = dice.pick(&tab.ports) else { continue };
                let text = format!("{number:>0$}", dice.below(40));
                match renderer.stub.post_message(port, &*text) {
                    Ok(()) => tab.sent.push_back((port, Sent::Message(text))),
                    Err(PostErrorKind::WindowFull) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            8 | 9 => tab.hear(1 + dice.below(6)),
            _ => listen(&mut renderer),
        }
    }
    let mut rounds = 0;
    while tabs.iter().any(|tab| !tab.sent.is_empty()) {
        tabs.iter_mut().for_each(|tab| tab.hear(usize::MAX));
        listen(&mut renderer);
        rounds += 1;
        assert!(rounds < 10_000, "something is held for ever: {:?}", renderer.host.snapshot());
    }
    assert!(renderer.host.snapshot().held_calls == 0);
    tabs.iter().map(|tab| tab.heard).sum()
}

/// Connects, if that does not meet a lane that is full: then it ends, where a later one may not.
fn connect(renderer: &mut Renderer, background: ContextNumber, tab: &mut Tab, number: usize) {
    listen(renderer);
    let name = number.to_string();
    let Ok(port) = renderer.stub.connect_tab(background, &InTab::new(tab.tab).name(&name)) else { return };
    tab.ports.push(port);
    tab.sent.push_back((port, Sent::Connect(name)));
    let mut refused = false;
    for event in renderer.hear() {
        if let StubEvent::Disconnect { port: ended, reason: DisconnectReason::LimitReached, .. } = event {
            assert_eq!(ended, port);
            refused = true;
        }
    }
    // One that is held behind others is decided when they are gone.
    while renderer.host.snapshot().held_calls > 0 && !refused && tab.sent.len() > 1 {
        let mine = tab.sent.pop_back().unwrap();
        tab.hear(tab.sent.len());
        tab.sent.push_back(mine);
        for event in renderer.hear() {
            refused |= matches!(event, StubEvent::Disconnect { port: ended, .. } if ended == port);
        }
        if tab.sent.len() == 1 {
            break;
        }
    }
    if refused {
        tab.ports.retain(|known| *known != port);
        tab.sent.pop_back();
    }
}

/// Carries both ways; nothing but room and refusals is heard.
fn listen(renderer: &mut Renderer) {
    let heard = renderer.hear();
    assert!(texts(&heard).is_empty());
    assert!(heard.iter().all(|event| matches!(event, StubEvent::Room { .. })), "{heard:?}");
}

#[test]
fn calls_keep_their_order_while_some_are_held() {
    let seeds = std::env::var("SEEDS").map_or(200, |seeds| seeds.parse().expect("a number"));
    let heard: usize = (0..seeds).map(run).sum();
    assert!(heard > 10_000, "{heard}");
}
