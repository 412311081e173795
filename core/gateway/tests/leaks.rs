//! Connections made and lost leave nothing. Alone in its process, because it counts that one's descriptors.
#![cfg(unix)]

mod common;

use common::{Browser, Dice, Processes, Renderer, describe_content_script, drain};
use port_core::{Event, ServiceSnapshot};
use port_core_gateway::{OfExtension, StubEvent};
use rustix::process::Signal;

#[test]
fn renderer_process() {
    common::play();
}

fn assert_only_this_loop_is_left(snapshot: &ServiceSnapshot) {
    assert_eq!(snapshot.event_loops.len(), 1, "{snapshot:?}");
    let contexts = snapshot.tabs.iter().flat_map(|tab| &tab.frames).map(|frame| frame.contexts.len());
    assert_eq!((contexts.sum::<usize>(), snapshot.extensions[0].own.len()), (0, 1));
}

#[test]
fn renderers_that_come_and_go_leave_no_descriptor_and_no_entry() {
    let mut all = Processes::new(Browser::new());
    let mut event_loop = all.event_loop();
    all.browser.background(&mut event_loop);
    let descriptors = || std::fs::read_dir("/dev/fd").unwrap().count();
    let before = descriptors();
    for round in 0..20 {
        let renderers: Vec<_> = (0..4).map(|_| all.start("counter:100")).collect();
        for renderer in &renderers {
            let place = all.browser.tab();
            let script = describe_content_script(all.browser.extension, place);
            all.grant(*renderer, script, "");
        }
        let mut heard = 0;
        all.until(|_| {
            heard += drain(&mut event_loop).len();
            heard == 4 * 101
        });
        for (number, renderer) in renderers.into_iter().enumerate() {
            if (round + number) % 2 == 0 {
                all.signal(renderer, Signal::KILL);
                all.until_ended(renderer);
            } else {
                all.let_go(renderer);
            }
        }
        assert_eq!(drain(&mut event_loop).len(), 4, "four ends");
        assert_eq!(event_loop.snapshot().ports.len(), 0);
    }
    assert_eq!(descriptors(), before);
    assert_only_this_loop_is_left(&all.browser.service.snapshot());
}

/// How many connections are made and lost in one process; `CONNECTIONS` in the environment asks for more.
const CONNECTIONS: u64 = 30_000;

#[test]
fn connections_made_and_lost_leave_nothing_at_either_end() {
    let connections = std::env::var("CONNECTIONS").map_or(CONNECTIONS, |count| count.parse().unwrap());
    let browser = Browser::new();
    let (mut here, _) = browser.background_loop();
    let mut dice = Dice::new(1);
    let mut made = 0;
    while made < connections {
        let place = browser.tab();
        let mut renderer = Renderer::new(&browser.service);
        let script = renderer.content_script(&browser, place);
        for _ in 0..64 {
            let ports: Vec<_> = (0..dice.below(8))
                .map(|_| {
                    let port = renderer.stub.connect_runtime(script, &OfExtension::own()).unwrap();
                    renderer.stub.post_message(port, "hello").unwrap();
                    port
                })
                .collect();
            made += ports.len() as u64;
            let carried = dice.below(3) > 0;
            if carried {
                renderer.carry_up().unwrap();
            }
            for event in drain(&mut here) {
                if let Event::Connect { port, .. } = event
                    && dice.below(2) == 0
                {
                    here.disconnect(port);
                }
            }
            for port in ports.into_iter().filter(|_| dice.below(2) == 0) {
                // Unless it has heard that the other side ended it.
                renderer.stub.disconnect(port);
            }
            let ended = renderer.hear();
            assert!(ended.iter().all(|event| matches!(event, StubEvent::Disconnect { .. })), "{ended:?}");
            drain(&mut here);
            renderer.hear();
            assert_eq!(renderer.host.snapshot().ports, renderer.stub.ports(script).count());
            assert_eq!(renderer.host.event_loop().snapshot().ports.len(), renderer.host.snapshot().ports);
        }
        match dice.below(3) {
            0 => renderer.stub.detach(script).unwrap(),
            1 => browser.service.tab_closed(place.tab).unwrap(),
            _ => {}
        }
        renderer.hear();
        if renderer.stub.ports(script).count() == 0 {
            assert_eq!(renderer.host.snapshot().ports, 0);
        }
        renderer.host.finish().unwrap();
        drop(renderer);
        drain(&mut here);
        assert_eq!(here.snapshot().ports.len(), 0);
        browser.service.tab_closed(place.tab).unwrap_or_default();
    }
    assert_only_this_loop_is_left(&browser.service.snapshot());
}
