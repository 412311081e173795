//! A segment is linked at every possible step: whatever lies in the lane before an
//! operation, it and its end come out whole, and either side may go first.

mod common;

use common::*;
use port_core::DisconnectReason::{ContextDetached, Disconnected, EventLoopGone};
use port_core::{ContextId, Event, EventLoop, Place, PortId, TabTarget};

/// Segments are of 8, 16, 32, 64 and 128 slots: past the end of all of them.
const SLOTS: usize = 8 + 16 + 32 + 64 + 128 + 8;

/// What is done at a position of the lane.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    PostShort,
    PostWithTail,
    PostLong,
    Connect,
    FanOut,
    Disconnect,
    Detach,
    DropOpener,
}

const OPERATIONS: [Operation; 8] = [
    Operation::PostShort,
    Operation::PostWithTail,
    Operation::PostLong,
    Operation::Connect,
    Operation::FanOut,
    Operation::Disconnect,
    Operation::Detach,
    Operation::DropOpener,
];

/// What becomes of the receiving loop after that.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    TakesAll,
    TakesHalfAndIsDropped,
    IsDropped,
    OpenerIsDroppedFirst,
}

const ENDINGS: [Ending; 4] =
    [Ending::TakesAll, Ending::TakesHalfAndIsDropped, Ending::IsDropped, Ending::OpenerIsDroppedFirst];

struct Pair {
    ledger: Ledger,
    browser: Browser,
    here: Option<EventLoop>,
    there: EventLoop,
    opener: ContextId,
    top: Place,
    port: PortId,
}

impl Pair {
    /// `used` messages went through the lane before, so that its segments are used ones.
    fn new(used: usize) -> Self {
        let browser = Browser::new();
        let Apart { mut here, mut there, place: top, opener, .. } = browser.apart();
        let (port, _) = browser.open_port(&mut here, opener, &mut there, top.tab);
        browser.content_script(&mut there, browser.frame_in(top));
        for _ in 0..used {
            here.post_message(port, "used").unwrap();
        }
        assert_eq!(drain(&mut there).len(), used);
        Self { ledger: Ledger::default(), browser, here: Some(here), there, opener, top, port }
    }

    fn here(&mut self) -> &mut EventLoop {
        self.here.as_mut().expect("it is there")
    }

    /// Gives what the receiving loop is to hear.
    fn operate(&mut self, operation: Operation) -> Vec<Heard> {
        let (port, opener) = (self.port, self.opener);
        let everywhere = TabTarget::new(self.top.tab).name("new");
        match operation {
            Operation::PostShort | Operation::PostWithTail | Operation::PostLong => {
                let length = [1, 150, 400][operation as usize];
                let payload = self.ledger.payload(length);
                self.here().post_message(port, payload).unwrap();
                vec![message("x".repeat(length))]
            }
            Operation::Connect => {
                let target = everywhere.frame(self.top.frame);
                let new = self.here().connect_tab(opener, &target).unwrap();
                self.here().post_message(new, "first").unwrap();
                vec![connect("new"), message("first")]
            }
            Operation::FanOut => {
                let new = self.here().connect_tab(opener, &everywhere).unwrap();
                let payload = self.ledger.payload(300);
                self.here().post_message(new, payload).unwrap();
                let heard = message("x".repeat(300));
                vec![connect("new"), connect("new"), heard.clone(), heard]
            }
            Operation::Disconnect => {
                self.here().disconnect(port);
                vec![disconnect(Disconnected)]
            }
            Operation::Detach => {
                self.here().detach(opener).unwrap();
                vec![disconnect(ContextDetached)]
            }
            Operation::DropOpener => {
                self.here = None;
                vec![disconnect(EventLoopGone)]
            }
        }
    }
}

fn sweep(used: usize, positions: impl Iterator<Item = usize>, filler: &str) {
    for position in positions {
        for operation in OPERATIONS {
            for ending in ENDINGS {
                let what =
                    format!("{used} used, {position} of {} bytes, {operation:?}, {ending:?}", filler.len());
                let mut pair = Pair::new(used);
                let port = pair.port;
                for _ in 0..position {
                    pair.here().post_message(port, filler).unwrap();
                }
                let expected = pair.operate(operation);
                match ending {
                    Ending::TakesAll | Ending::OpenerIsDroppedFirst => {
                        if ending == Ending::OpenerIsDroppedFirst {
                            pair.here = None;
                        }
                        let heard = hear(&mut pair.there);
                        assert!(heard[..position].iter().all(|heard| *heard == message(filler)), "{what}");
                        let after = position + expected.len();
                        assert_eq!(heard[position..after], expected, "{what}");
                        // What is open still ends with its opener.
                        let only_ends = heard[after..].iter().all(|end| *end == disconnect(EventLoopGone));
                        assert!(only_ends && (pair.here.is_none() || heard.len() == after), "{what}");
                    }
                    Ending::TakesHalfAndIsDropped => {
                        for _ in 0..position / 2 {
                            assert!(matches!(pair.there.next_event(), Some(Event::Message { .. })), "{what}");
                        }
                    }
                    Ending::IsDropped => {}
                }
                let Pair { ledger, browser, here, there, .. } = pair;
                drop(there);
                if let Some(mut here) = here {
                    assert!(here.snapshot().events <= 1, "{what}");
                    let ends = hear(&mut here);
                    assert!(ends.iter().all(|end| matches!(end, Heard::Disconnect(_))), "{what}");
                    assert_eq!((here.snapshot().ports, here.snapshot().lanes), (vec![], vec![]), "{what}");
                }
                drop(browser);
                ledger.assert_balanced();
            }
        }
    }
}

#[test]
fn at_every_position_of_new_segments() {
    sweep(0, 0..SLOTS, "one slot");
}

#[test]
fn at_every_position_with_records_of_several_slots() {
    sweep(0, 0..40, &"two slots ".repeat(9));
    sweep(0, 0..40, &"three slots ".repeat(12));
}

#[test]
fn at_every_position_of_segments_used_before() {
    for used in [7, 60, 249] {
        sweep(used, 0..70, "one slot");
    }
}
