//! How soon the other side of a port hears that a renderer was killed.

use super::Pace;
use super::children::Role;
use super::judge::{Verdicts, spread};
use port_core::{ContextDescription, DisconnectReason, Event, ExtensionId, Listening, MessageService};
use port_core_bench::report::figure;
use port_core_bench::sample::Spread;
use port_core_gateway::Bounds;
use port_core_gateway::unix::{Ended, Gateway, pair};
use std::time::{Duration, Instant};

/// Nothing takes so long but what is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// Kills renderers in the middle of what they say to an event loop of the browser.
pub(crate) fn measure(pace: Pace, verdicts: &mut Verdicts) {
    let service = MessageService::default();
    let extension = service.extension_loaded(ExtensionId::new("talks")).expect("new");
    let mut gateway = Gateway::new().expect("a gateway");
    let mut event_loop = service.event_loop(gateway.waker());
    let background = event_loop.attach(ContextDescription::background(extension)).expect("loaded");
    event_loop.set_listening(background, Listening::PORTS).expect("attached");
    let mut taken = Vec::new();
    for _ in 0..pace.kills {
        let (ours, theirs) = pair().expect("sockets");
        let renderer = gateway.add(&service, ours, Bounds::default()).expect("a renderer");
        gateway.host(renderer).expect("new").grant(ContextDescription::page(extension), b"");
        let mut role = Role::start("talk", theirs);
        let (mut killed, mut messages, began) = (None, 0, Instant::now());
        'heard: loop {
            assert!(began.elapsed() < PATIENCE, "the renderer says nothing");
            while let Some(event) = event_loop.next_event() {
                match event {
                    Event::Message { .. } => messages += 1,
                    Event::Disconnect { reason, .. } => {
                        assert_eq!(reason, DisconnectReason::ProcessCrashed);
                        break 'heard;
                    }
                    _ => {}
                }
            }
            if messages > 100 && killed.is_none() {
                role.child.kill().expect("it is there");
                killed = Some(Instant::now());
            }
            for (_, ended) in gateway.turn(Some(PATIENCE)).expect("poll works") {
                if let Ended::Closed(host) = ended {
                    service.event_loop_crashed(host.event_loop().id()).expect("it is there");
                }
            }
        }
        taken.push(killed.expect("it was killed").elapsed().as_secs_f64() * 1e3);
    }
    let kills = figure(pace.kills as f64);
    verdicts.about(&format!("{kills} kills, with whatever had come before"));
    let range = spread(&taken);
    verdicts.figure("the other side heard after", "ms", range);
    taken.sort_by(f64::total_cmp);
    let ninety_nine = taken[(taken.len() * 99).div_ceil(100) - 1];
    verdicts.at_most(
        "milliseconds until a kill -9 is heard, 99 of 100",
        Spread { median: ninety_nine, ..range },
        5.0,
    );
}
