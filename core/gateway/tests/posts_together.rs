//! Posts that come several together are taken as they are one by one: the same becomes of each, the same is said to the
//! renderer, and a lie among them is found at the same place.

mod common;

use common::{Browser, ConnectedRenderer, Dice, hear};
use port_core::{Event, EventLoop, Limits};
use port_core_gateway::wire::Up;
use port_core_gateway::{Bounds, Content, Lie, Lied, OfExtension, PortNumber};

/// A renderer with two ports to a background.
struct Scene {
    browser: Browser,
    connected: ConnectedRenderer,
    ports: [PortNumber; 2],
}

impl Scene {
    fn new(limits: Limits, bounds: Bounds) -> Self {
        let browser = Browser::with_limits(limits);
        let mut connected = ConnectedRenderer::new(&browser, bounds);
        let ConnectedRenderer { renderer, script, port, there, .. } = &mut connected;
        let other = renderer.stub.connect_runtime(*script, &OfExtension::own()).unwrap();
        let _ = renderer.hear();
        assert!(renderer.host.set_user_activation(*script, true));
        let _ = hear(there);
        Self { ports: [*port, other], browser, connected }
    }

    /// Takes bytes. Returns what the renderer is told then.
    fn take(&mut self, pieces: &[Vec<u8>]) -> Result<Vec<u8>, Lie> {
        pieces.iter().try_for_each(|bytes| self.connected.renderer.host.receive_at_once(bytes))?;
        Ok(self.send())
    }

    /// Does what is left to do, of what the renderer had not read answers for. Returns what it is told then.
    fn settle(&mut self) -> Result<Vec<u8>, Lie> {
        let mut told = Vec::new();
        while self.connected.renderer.host.turn()? {
            told.extend(self.send());
        }
        Ok(told)
    }

    fn send(&mut self) -> Vec<u8> {
        let host = &mut self.connected.renderer.host;
        let output = host.output().to_vec();
        host.sent(output.len());
        output
    }
}

fn hear_events(event_loop: &mut EventLoop) -> Vec<Event> {
    std::iter::from_fn(|| event_loop.next_event()).collect()
}

/// The messages among events, and whether each was posted under user activation.
fn messages(events: &[Event]) -> Vec<(&[u8], bool)> {
    let message = |event| match event {
        &Event::Message { ref payload, user_activation, .. } => Some((&payload[..], user_activation)),
        _ => None,
    };
    events.iter().filter_map(message).collect()
}

fn frame(dice: &mut Dice, ports: [PortNumber; 2], last: &mut usize, number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    if dice.below(4) == 0 {
        *last = 1 - *last;
    }
    let length = [0, 1, 30, 100, 170][dice.below(5)];
    let mut text = format!("{number}:");
    text.extend(std::iter::repeat_n('x', length));
    let content = Content::from(&*text).user_activation(dice.below(2) == 0);
    match dice.below(600) {
        0 => Up::Disconnect { port: ports[*last] }.write(&mut bytes),
        1 => Up::Post { port: PortNumber::from_bits(dice.below(40) as u64), content }.write(&mut bytes),
        2 => Up::Post { port: ports[*last], content: Content::from(&[b'x'; 301]) }.write(&mut bytes),
        _ => Up::Post { port: ports[*last], content }.write(&mut bytes),
    }
    bytes
}

fn bounds(dice: &mut Dice) -> Bounds {
    Bounds::default()
        .port_messages([40, 7, 2][dice.below(3)])
        .port_bytes([9_000, 500, 90][dice.below(3)])
        .messages([90, 9, 3][dice.below(3)])
        .bytes([20_000, 700, 100][dice.below(3)])
        .message_bytes(300)
        .output_bytes([1 << 16, 60][dice.below(2)])
}

/// Plays one renderer twice. Returns how it lied, and how many messages came.
fn play(seed: u64) -> (Option<Lied>, usize) {
    let mut dice = Dice::new(seed);
    let (limits, bounds) =
        (Limits::default().lane_records([1 << 10, 20, 6][dice.below(3)]), bounds(&mut dice));
    let [mut together, mut one_by_one] = [(); 2].map(|()| Scene::new(limits, bounds));
    assert_eq!(together.ports, one_by_one.ports);
    let (mut last, mut number, mut came) = (0, 0, 0);
    for _ in 0..60 {
        let frames: Vec<_> = (0..1 + dice.below(14))
            .map(|_| {
                number += 1;
                frame(&mut dice, together.ports, &mut last, number)
            })
            .collect();
        let told = [together.take(&[frames.concat()]), one_by_one.take(&frames)];
        assert_eq!(told[0], told[1], "seed {seed}");
        let all = [&mut together, &mut one_by_one].map(|scene| hear_events(&mut scene.connected.there));
        assert_eq!(messages(&all[0]), messages(&all[1]), "seed {seed}");
        assert_eq!(all[0].len(), all[1].len(), "seed {seed}");
        came += messages(&all[0]).len();
        let settled = [together.settle(), one_by_one.settle()];
        assert_eq!(settled[0], settled[1], "seed {seed}");
        let held = [&together, &one_by_one].map(|scene| scene.connected.renderer.host.snapshot());
        assert_eq!(held[0], held[1], "seed {seed}");
        let [told, _] = told;
        let [settled, _] = settled;
        if let Err(lie) = told.and(settled) {
            return (Some(lie.what()), came);
        }
    }
    let [one, other] = [&together, &one_by_one].map(|scene| scene.browser.service.snapshot().bytes);
    assert_eq!(one, other);
    (None, came)
}

#[test]
fn posts_that_come_together_are_taken_as_one_by_one() {
    let played: Vec<_> = (0..400).map(play).collect();
    let count = |lied| played.iter().filter(|(how, _)| *how == lied).count();
    let counts = [Some(Lied::Credit), Some(Lied::Message), Some(Lied::Port), None].map(count);
    let came: usize = played.iter().map(|(_, came)| came).sum();
    println!("{counts:?} {came}");
    assert!(counts.iter().all(|count| *count > 10) && came > 10_000, "{counts:?} {came}");
}
