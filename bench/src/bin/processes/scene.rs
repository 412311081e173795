//! The processes of the measurement, and the samples, in turn.

use super::Pace;
use super::children::{Relay, Role};
use super::judge::{Verdicts, ratios, spread};
use super::rivals::{InProcess, Ipc};
use super::roles::{LARGE, SHORT};
use port_core::{ContextDescription, ExtensionId, MessageService};
use port_core_gateway::Bounds;
use port_core_gateway::unix::{Gateway, pair};
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};

/// A browser with its gateway on a thread of its own, and two pairs of renderers: one pings, one echoes.
struct Browser {
    pingers: [Role; 2],
    _echoes: Vec<Role>,
    gateway: Option<JoinHandle<()>>,
    stop: std::sync::mpsc::Sender<()>,
    waker: std::task::Waker,
}

impl Browser {
    fn start() -> Self {
        let service = MessageService::default();
        let mut gateway = Gateway::new().expect("a gateway");
        let mut renderer = |role: &str, description: ContextDescription| {
            let (ours, theirs) = pair().expect("sockets");
            let renderer = gateway.add(&service, ours, Bounds::default()).expect("a renderer");
            gateway.host(renderer).expect("new").grant(description, b"");
            Role::start(role, theirs)
        };
        let (mut pingers, mut echoes) = (Vec::new(), Vec::new());
        for name in ["one", "two"] {
            let extension = service.extension_loaded(ExtensionId::new(name)).expect("new");
            echoes.push(renderer("echo", ContextDescription::background(extension)));
            pingers.push(renderer("ping", ContextDescription::page(extension)));
        }
        let (stop, stopped) = std::sync::mpsc::channel();
        let waker = gateway.waker();
        let gateway = thread::spawn(move || {
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                let ended = gateway.turn(None).expect("poll works");
                assert!(ended.is_empty(), "a renderer ended: {}", ended[0].1);
            }
        });
        for echo in &mut echoes {
            echo.hear();
        }
        let pingers = pingers.try_into().expect("two");
        Self { pingers, _echoes: echoes, gateway: Some(gateway), stop, waker }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.stop.send(());
        self.waker.wake_by_ref();
        drop(self.gateway.take().map(JoinHandle::join));
    }
}

/// Two raw processes, joined by a relay or by one socket.
struct RawPair {
    pinger: Role,
    _echo: Role,
    _relay: Option<Relay>,
}

impl RawPair {
    fn start(by_a_relay: bool) -> Self {
        let sockets = || UnixStream::pair().expect("sockets");
        let (one, other) = sockets();
        let (relay, other) = if by_a_relay {
            let (near, far) = sockets();
            (Some(Relay::start(other, near)), far)
        } else {
            (None, other)
        };
        let mut echo = Role::start("raw-echo", other);
        echo.hear();
        Self { pinger: Role::start("raw-ping", one), _echo: echo, _relay: relay }
    }
}

/// What the samples of one thing came to, for each who was measured.
#[derive(Default)]
struct Samples {
    gateway: Vec<f64>,
    relay: Vec<f64>,
    raw: Vec<f64>,
    ipc: Vec<f64>,
    in_process: Vec<f64>,
}

/// Measures everything that processes say to each other.
pub(crate) fn measure(pace: Pace, verdicts: &mut Verdicts) {
    let Pace { samples, round_trips, messages, .. } = pace;
    let mut browser = Browser::start();
    let (mut relayed, mut raw) = (RawPair::start(true), RawPair::start(false));
    let (ipc, mut in_process) = (Ipc::start(), InProcess::start());
    let [pinger, beside] = &mut browser.pingers;
    let (mut round, mut batched, mut each) = (Samples::default(), Samples::default(), Samples::default());
    let (mut large, mut alone, mut with_large) = (Samples::default(), Vec::new(), Vec::new());
    let (rounds, many, fewer) =
        (format!("round {round_trips}"), format!("batched {messages}"), format!("each {}", messages / 10));
    // One more, in which everything is new.
    for sample in 0..=samples {
        let micros = 1e6 / round_trips as f64;
        let nanos = 1e9 / messages as f64;
        let nanos_each = 1e9 / (messages / 10) as f64;
        let taken = [
            (&mut round.gateway, pinger.run(&rounds) * micros),
            (&mut round.relay, relayed.pinger.run(&rounds) * micros),
            (&mut round.ipc, ipc.round(round_trips) * micros),
            (&mut round.in_process, in_process.round(round_trips) * micros),
            (&mut batched.gateway, pinger.run(&many) * nanos),
            (&mut batched.relay, relayed.pinger.run(&many) * nanos),
            (&mut batched.in_process, in_process.one_way(messages) * nanos),
            (&mut each.gateway, pinger.run(&fewer) * nanos_each),
            (&mut each.raw, raw.pinger.run(&fewer) * nanos_each),
            (&mut each.ipc, ipc.each(messages / 10) * nanos_each),
            (&mut large.gateway, pinger.run("large 1") * 1e3),
            (&mut large.raw, raw.pinger.run("large 1") * 1e3),
            (&mut alone, beside.run("round 100") * 1e4),
            (&mut with_large, {
                pinger.tell("large 4");
                let taken = beside.run("round 100") * 1e4;
                pinger.hear();
                taken
            }),
        ];
        for (samples, taken) in taken {
            if sample > 0 {
                samples.push(taken);
            }
        }
    }
    verdicts.about(&format!(
        "round trip of {SHORT} bytes, everybody sleeps; ipc-channel without a process between"
    ));
    verdicts.figure("gateway, renderer to renderer and back", "µs", spread(&round.gateway));
    verdicts.figure("a process that copies bytes", "µs", spread(&round.relay));
    verdicts.figure("ipc-channel", "µs", spread(&round.ipc));
    verdicts.figure("the core between two threads", "µs", spread(&round.in_process));
    verdicts.at_most(
        "round trip, everybody sleeps, by the copying process's",
        ratios(&round.gateway, &round.relay),
        1.25,
    );
    verdicts.about(&format!("one way, {SHORT} bytes, sent together"));
    verdicts.figure("gateway", "ns", spread(&batched.gateway));
    verdicts.figure("a process that copies bytes", "ns", spread(&batched.relay));
    verdicts.figure("the core between two threads", "ns", spread(&batched.in_process));
    verdicts.at_least(
        "messages a second, sent together, by the copying process's",
        ratios(&batched.relay, &batched.gateway),
        0.6,
    );
    verdicts.at_least("the same by ipc-channel's, one by one", ratios(&each.ipc, &batched.gateway), 5.0);
    verdicts.about(&format!("one way, {SHORT} bytes, each sent at once"));
    verdicts.figure("gateway", "ns", spread(&each.gateway));
    verdicts.figure("a raw socket, nobody between", "ns", spread(&each.raw));
    verdicts.figure("ipc-channel", "ns", spread(&each.ipc));
    verdicts.at_least(
        "messages a second, each sent at once, by the raw socket's",
        ratios(&each.raw, &each.gateway),
        0.4,
    );
    verdicts.about(&format!("{} MiB", LARGE >> 20));
    verdicts.figure("gateway", "ms", spread(&large.gateway));
    verdicts.figure("a raw socket, nobody between", "ms", spread(&large.raw));
    verdicts.at_most("16 MiB, by the raw socket's", ratios(&large.gateway, &large.raw), 3.0);
    verdicts.figure("round trip of others alone", "µs", spread(&alone));
    verdicts.figure("round trip of others beside large messages", "µs", spread(&with_large));
    verdicts.at_most(
        "others' round trip beside messages of 16 MiB, by that alone",
        ratios(&with_large, &alone),
        3.0,
    );
}
