//! What is not promised: order through a third loop. A posts to C, then to B, and B
//! answers by posting to C. What each of the two says to C stays in order; which of them
//! C hears first is left open (`docs/behaviour.md`).

mod common;

use common::*;
use port_core::{Listening, TabTarget};

/// Rounds that C sleeps through; gives what it hears then.
fn rounds(b_first_to_meet_c: bool) -> Vec<Heard> {
    let browser = Browser::new();
    let (mut a, mut b, mut c) = (browser.event_loop(), browser.event_loop(), browser.event_loop());
    let place = browser.tab();
    let background = browser.background(&mut a);
    let content_script = browser.content_script(&mut b, place);
    let _page = browser.page(&mut c);

    // So that B reaches C alone.
    a.set_listening(background, Listening::none()).unwrap();
    let (from_a, from_b);
    if b_first_to_meet_c {
        from_b = connect_runtime(&mut b, content_script, "B").unwrap();
        from_a = connect_runtime(&mut a, background, "A").unwrap();
    } else {
        from_a = connect_runtime(&mut a, background, "A").unwrap();
        from_b = connect_runtime(&mut b, content_script, "B").unwrap();
    }
    let to_b = a.connect_tab(background, &TabTarget::new(place.tab)).unwrap();
    settle([&mut a, &mut b, &mut c]);

    for round in 0..3 {
        a.post_message(from_a, format!("A{round}")).unwrap();
        a.post_message(to_b, "go on").unwrap();
        assert_eq!(hear(&mut b), [message("go on")]);
        b.post_message(from_b, format!("B{round}")).unwrap();
    }
    hear(&mut c)
}

#[test]
fn each_senders_messages_are_in_order_whoever_is_heard_first() {
    for b_first_to_meet_c in [false, true] {
        let heard = rounds(b_first_to_meet_c);
        for sender in ["A", "B"] {
            let of_sender: Vec<_> = heard
                .iter()
                .filter(|heard| matches!(heard, Heard::Message(text) if text.starts_with(sender)))
                .cloned()
                .collect();
            let expected: Vec<_> = (0..3).map(|round| message(format!("{sender}{round}"))).collect();
            assert_eq!(of_sender, expected);
        }
    }
}
