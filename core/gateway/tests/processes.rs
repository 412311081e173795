//! Renderers in processes of their own.
#![cfg(unix)]

mod common;

use common::{Browser, Processes, describe_background, describe_content_script, drain, message, recording};
use port_core::{DisconnectReason, Event, EventLoop, TabTarget};
use port_core_gateway::Lied;
use port_core_gateway::unix::Ended;
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;

/// What the renderers run; without a role it does nothing.
#[test]
fn renderer_process() {
    common::play();
}

#[test]
fn two_renderers_talk_through_one_browser() {
    let mut all = Processes::new(Browser::new());
    let place = all.browser.tab();
    let (background, page) = (all.start("mdn-background"), all.start("mdn-content-script"));
    let (here, there) =
        (describe_background(all.browser.extension), describe_content_script(all.browser.extension, place));
    // The page first, so that the background finds a listener.
    all.grant(page, there, "ext://greeter/bg.js");
    all.until(|all| all.browser.service.snapshot().tabs[0].frames[0].contexts.len() == 1);
    all.grant(background, here, &place.tab.to_string());
    all.until_content(background);
    all.until_content(page);
}

/// What a receiver in the browser has heard: the numbers in order, and the end once there is one.
#[derive(Default)]
struct Counted {
    next: u64,
    ended: Option<DisconnectReason>,
}

impl Counted {
    fn hear(&mut self, event_loop: &mut EventLoop) {
        for event in drain(event_loop) {
            assert_eq!(self.ended, None, "nothing follows the end");
            match event {
                Event::Connect { .. } => {}
                Event::Message { payload, .. } => {
                    assert_eq!(std::str::from_utf8(&payload).unwrap(), self.next.to_string());
                    self.next += 1;
                }
                Event::Disconnect { reason, .. } => self.ended = Some(reason),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn a_killed_renderer_leaves_a_prefix_and_one_end() {
    let mut all = Processes::new(Browser::new());
    let mut event_loop = all.event_loop();
    all.browser.background(&mut event_loop);
    let bystander = all.start("echo");
    let other = all.browser.tab();
    let script = describe_content_script(all.browser.extension, other);
    all.grant(bystander, script, "");
    for round in 0..12 {
        let place = all.browser.tab();
        let script = describe_content_script(all.browser.extension, place);
        let renderer = all.start("counter:0");
        all.grant(renderer, script, "");
        let mut counted = Counted::default();
        all.until(|_| {
            counted.hear(&mut event_loop);
            counted.next > round * 97
        });
        all.signal(renderer, Signal::KILL);
        let (how, status) = all.until_ended(renderer);
        assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "{status}");
        let Ended::Closed(host) = how else { panic!("{how}") };
        let reason = if round % 2 == 0 {
            all.browser.service.event_loop_crashed(host.event_loop().id()).unwrap();
            DisconnectReason::ProcessCrashed
        } else {
            DisconnectReason::EventLoopGone
        };
        drop(host);
        counted.hear(&mut event_loop);
        assert_eq!(counted.ended, Some(reason));
        assert_eq!(event_loop.snapshot().ports.len(), 0);
    }
    // Who was not killed did not notice.
    let background = common::background_of(all.browser.extension, &mut event_loop);
    let port = event_loop.connect_tab(background, &TabTarget::new(other.tab)).unwrap();
    event_loop.post_message(port, "still there").unwrap();
    let mut heard = Vec::new();
    all.until(|_| {
        heard.extend(common::hear(&mut event_loop));
        !heard.is_empty()
    });
    assert_eq!(heard, [message("still there")]);
}

#[test]
fn a_renderer_killed_at_any_frame_leaves_a_prefix_and_one_end() {
    let (begins, bytes) = recording();
    let boundaries = begins.iter().copied().chain([bytes.len()]);
    let inside = begins.iter().flat_map(|begin| [begin + 1, begin + 4, begin + 6]);
    let mut all = Processes::new(Browser::new());
    let mut event_loop = all.event_loop();
    all.browser.background(&mut event_loop);
    for most in boundaries.chain(inside) {
        let place = all.browser.tab();
        let script = describe_content_script(all.browser.extension, place);
        let renderer = all.start(&format!("recorded:{most}"));
        all.grant(renderer, script, "");
        let (how, _) = all.until_ended(renderer);
        assert!(matches!(how, Ended::Closed(_)), "{how}");
        drop(how);
        let frames = begins.iter().skip(1).chain([&bytes.len()]).filter(|end| **end <= most).count();
        common::check_recorded(&drain(&mut event_loop), frames);
    }
}

#[test]
fn numbers_of_other_renderers_are_lies_and_harm_nobody() {
    let mut all = Processes::new(Browser::new());
    let mut event_loop = all.event_loop();
    let background = all.browser.background(&mut event_loop);
    let place = all.browser.tab();
    let honest = all.start("echo");
    let script = describe_content_script(all.browser.extension, place);
    all.grant(honest, script, "");
    all.until(|all| all.browser.service.snapshot().tabs[0].frames[0].contexts.len() == 1);
    let port = event_loop.connect_tab(background, &TabTarget::new(place.tab)).unwrap();
    event_loop.post_message(port, "0").unwrap();
    let mut heard = Vec::new();
    all.until(|_| {
        heard.extend(common::hear(&mut event_loop));
        heard.len() == 1
    });
    // The ids that the core gave to the honest renderer's context and port.
    let snapshot = all.host(honest).event_loop().snapshot();
    let ids = [snapshot.contexts[0].context.to_bits(), snapshot.ports[0].port.to_bits()];
    for (number, (id, way)) in ids.into_iter().flat_map(|id| (0..7).map(move |way| (id, way))).enumerate() {
        let liar = all.start(&format!("liar:{way}"));
        let elsewhere = all.browser.tab();
        let script = describe_content_script(all.browser.extension, elsewhere);
        all.grant(liar, script, &id.to_string());
        let (how, status) = all.until_ended(liar);
        let Ended::Lied(lie) = how else { panic!("{how}") };
        assert!(matches!(lie.what(), Lied::Port | Lied::Context), "{lie}");
        assert_eq!(status.signal(), Some(Signal::KILL.as_raw()));
        event_loop.post_message(port, &*number.to_string()).unwrap();
        heard.clear();
        all.until(|_| {
            heard.extend(common::hear(&mut event_loop));
            !heard.is_empty()
        });
        assert_eq!(heard, [message(number.to_string())]);
    }
}

#[test]
fn disconnects_that_cross_end_each_port_once() {
    let mut all = Processes::new(Browser::new());
    let place = all.browser.tab();
    let (background, page) = (all.start("crosser:2000"), all.start("hanger-up"));
    let script = describe_content_script(all.browser.extension, place);
    all.grant(page, script, "");
    all.until(|all| all.browser.service.snapshot().tabs[0].frames[0].contexts.len() == 1);
    let description = describe_background(all.browser.extension);
    all.grant(background, description, &place.tab.to_string());
    all.until_content(background);
    assert_eq!(all.host(page).snapshot().ports, 0);
    all.let_go(page);
}

/// One renderer floods for ever. Another's answers come all the same, each after a part of the flood that has an end.
#[test]
fn a_flood_holds_up_nobody_elses_answers() {
    let mut all = Processes::new(Browser::new());
    let mut event_loop = all.event_loop();
    let background = all.browser.background(&mut event_loop);
    let (flooding, answering) = (all.start("counter:0"), all.start("echo"));
    let places = [(); 2].map(|()| all.browser.tab());
    let scripts = places.map(|place| describe_content_script(all.browser.extension, place));
    for (renderer, script) in [flooding, answering].into_iter().zip(scripts) {
        all.grant(renderer, script, "");
    }
    all.until(|all| {
        let tabs = all.browser.service.snapshot().tabs;
        tabs.iter().all(|tab| tab.frames[0].contexts.len() == 1)
    });
    let port = event_loop.connect_tab(background, &TabTarget::new(places[1].tab)).unwrap();
    let (mut flood, mut answers) = (0_u64, 0_u64);
    event_loop.post_message(port, "0").unwrap();
    all.until(|_| {
        for event in drain(&mut event_loop) {
            match event {
                Event::Message { port: on, payload, .. } if on == port => {
                    assert_eq!(&*payload, answers.to_string().as_bytes());
                    answers += 1;
                    event_loop.post_message(port, answers.to_string()).unwrap();
                }
                Event::Message { payload, .. } => {
                    assert_eq!(&*payload, flood.to_string().as_bytes(), "in order");
                    flood += 1;
                }
                Event::Connect { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        answers >= 15 && flood >= 15
    });
    all.signal(flooding, Signal::KILL);
    all.until_ended(flooding);
    all.let_go(answering);
}
