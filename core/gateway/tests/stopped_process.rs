//! A renderer that is stopped while another floods it. Alone in its process, because it measures that.
#![cfg(target_os = "linux")]

mod common;

use common::{Browser, Processes, describe_background, describe_content_script};
use port_core::{EventLoop, Limits, PortId, TabTarget};
use port_core_gateway::Bounds;
use rustix::process::Signal;

#[test]
fn renderer_process() {
    common::play();
}

/// How much memory this process has, in bytes.
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * rustix::param::page_size() as u64
}

/// Sends round trips on a port, and gives how many came back.
fn round_trips(all: &mut Processes, event_loop: &mut EventLoop, port: PortId, count: usize) -> usize {
    let mut back = 0;
    for number in 0..count {
        event_loop.post_message(port, &*number.to_string()).unwrap();
        let mut heard = Vec::new();
        all.until(|_| {
            heard.extend(common::hear(event_loop));
            !heard.is_empty()
        });
        assert_eq!(heard, [common::message(number.to_string())]);
        back += 1;
    }
    back
}

#[test]
fn a_flood_at_a_stopped_renderer_is_bounded_and_harms_nobody() {
    const LANE: u64 = 2 << 20;
    const WINDOW: u64 = 2 << 20;
    let mut all = Processes::new(Browser::with_limits(Limits::default().lane_bytes(LANE)));
    all.bounds = Bounds::default().port_bytes(WINDOW).bytes(2 * WINDOW);
    let (stopped, alive) = (all.browser.tab(), all.browser.tab());
    let mut event_loop = all.event_loop();
    let background = all.browser.background(&mut event_loop);
    let [collector, echo, flooder] = ["collector", "echo", "flooder"].map(|role| all.start(role));
    let extension = all.browser.extension;
    all.grant(collector, describe_content_script(extension, stopped), "");
    all.grant(echo, describe_content_script(extension, alive), "");
    let attached = |all: &mut Processes, tabs: usize| {
        let snapshot = all.browser.service.snapshot();
        snapshot.tabs.iter().filter(|tab| !tab.frames[0].contexts.is_empty()).count() == tabs
    };
    all.until(|all| attached(all, 2));
    let port = event_loop.connect_tab(background, &TabTarget::new(alive.tab)).unwrap();
    round_trips(&mut all, &mut event_loop, port, 100);

    let before = resident_bytes();
    all.signal(collector, Signal::STOP);
    all.grant(flooder, describe_background(extension), &stopped.tab.to_string());
    // The lane is full, and calls are held.
    all.until(|all| all.host(flooder).snapshot().waiting_bytes > WINDOW / 2);
    // Nobody else notices.
    assert_eq!(round_trips(&mut all, &mut event_loop, port, 1_000), 1_000);
    let holds = all.host(flooder).snapshot();
    assert!(holds.waiting_bytes < WINDOW + 2_000 && holds.held_calls > 0, "{holds:?}");
    let output = all.bounds.output_bytes as u64;
    assert!(all.host(collector).snapshot().output_bytes as u64 <= output + 2_000);
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown <= LANE + WINDOW + output + (4 << 20), "{grown} bytes more");

    // The flooder has enough: it says how much it was told that it could post, and all of that comes, in order.
    all.signal(collector, Signal::CONT);
    let stop = event_loop.connect_runtime(background, &port_core::RuntimeTarget::own()).unwrap();
    event_loop.post_message(stop, "enough").unwrap();
    all.until_content(collector);
    all.let_go(flooder);
    all.let_go(echo);
}
