//! Ids in their last generations, and windows and counts at their largest.

use super::*;
use crate::description::Place;
use crate::error::PostErrorKind;
use crate::event_loop::port::LegWindow;
use crate::ids::{DocumentId, ExtensionId, ExtensionInstance, FrameId, TabId, WindowId};
use crate::limits::Limits;
use crate::service::MessageService;
use crate::target::TabTarget;
use crate::wire::credit::Credit;
use std::collections::HashSet;
use std::task::Waker;

const PLACE: Place = Place::new(TabId::new(1), FrameId::TOP, DocumentId::new(1));

struct Pair {
    here: EventLoop,
    there: EventLoop,
    opener: ContextId,
    extension: ExtensionInstance,
}

impl Pair {
    fn new(limits: Limits) -> Self {
        let service = MessageService::builder().limits(limits).build();
        let extension = service.extension_loaded(ExtensionId::new("extension")).unwrap();
        service.tab_opened(PLACE.tab, WindowId::new(1)).unwrap();
        service.frame_attached(PLACE.tab, PLACE.frame, None, PLACE.document).unwrap();
        let [mut here, there] = [(); 2].map(|()| service.event_loop(Waker::noop().clone()));
        let opener = here.attach(ContextDescription::background(extension)).unwrap();
        Self { here, there, opener, extension }
    }

    fn receiver(&mut self) -> ContextId {
        let description = ContextDescription::content_script(self.extension, PLACE);
        let receiver = self.there.attach(description).unwrap();
        self.there.set_listening(receiver, Listening::PORTS).unwrap();
        receiver
    }

    /// The window of the one leg that there is.
    fn leg(&mut self) -> &mut LegWindow {
        let mut windows = self.here.peers.iter_mut().flatten().flat_map(|peer| peer.windows.values_mut());
        windows.next().unwrap()
    }

    fn connect(&mut self) -> (PortId, PortId) {
        let port = self.here.connect_tab(self.opener, &TabTarget::new(PLACE.tab)).unwrap();
        let Some(Event::Connect { port: received, .. }) = self.there.next_event() else { panic!() };
        assert_eq!(self.here.next_event(), None);
        (port, received)
    }
}

fn exchange(from: &mut EventLoop, port: PortId, to: &mut EventLoop, received: PortId) {
    from.post_message(port, "still here").unwrap();
    let event = to.next_event();
    assert!(matches!(event, Some(Event::Message { port, .. }) if port == received), "{event:?}");
    assert_eq!(to.next_event(), None);
}

#[test]
fn slots_in_their_last_generations_are_used_up_and_new_ones_taken() {
    const SLOTS: u32 = 3;
    let mut pair = Pair::new(Limits::default());
    // They meet, so that the lanes are there.
    let receiver = pair.receiver();
    let (met, _) = pair.connect();
    pair.here.disconnect(met);
    while pair.there.next_event().is_some() {}
    pair.there.detach(receiver).unwrap();
    let nearly_over = Key::LAST_GENERATION - 1;
    for event_loop in [&mut pair.here, &mut pair.there] {
        event_loop.ports = Slab::aged(SLOTS, nearly_over);
        for peer in event_loop.peers.iter_mut().flatten() {
            peer.opened = Slab::aged(SLOTS, nearly_over);
        }
    }
    pair.there.contexts = Slab::aged(SLOTS, nearly_over);
    let (mut contexts, mut ports) = (Vec::new(), Vec::new());
    for round in 0..5 * SLOTS {
        let receiver = pair.receiver();
        let (port, received) = pair.connect();
        exchange(&mut pair.here, port, &mut pair.there, received);
        exchange(&mut pair.there, received, &mut pair.here, port);
        // Nothing that was ever given means anything here any more.
        for &(port, received) in &ports {
            assert!(!pair.here.is_open(port) && !pair.there.is_open(received));
            assert_eq!(
                pair.here.post_message(port, "").map_err(PostErrorKind::from),
                Err(PostErrorKind::Disconnected)
            );
            assert!(!pair.there.disconnect(received));
        }
        for &context in &contexts {
            assert_eq!(pair.there.detach(context), Err(ContextError::UnknownContext));
        }
        contexts.push(receiver);
        ports.push((port, received));
        if round % 2 == 0 {
            pair.here.disconnect(port);
        } else {
            pair.there.disconnect(received);
        }
        while pair.here.next_event().is_some() || pair.there.next_event().is_some() {}
        pair.there.detach(receiver).unwrap();
    }
    let given: HashSet<_> = ports.iter().flat_map(|(port, received)| [*port, *received]).collect();
    assert_eq!(given.len(), 2 * ports.len(), "no port's id twice");
    assert_eq!(contexts.iter().collect::<HashSet<_>>().len(), contexts.len(), "no context's id twice");
    assert!(ports.iter().any(|(port, _)| port.key().generation() == Key::LAST_GENERATION), "to the last");
    assert!(ports.iter().any(|(port, _)| port.key().index() >= SLOTS), "and beyond");
}

#[test]
fn windows_and_counts_at_their_largest() {
    let mut limits = Limits::default();
    (limits.window_messages, limits.window_bytes) = (Some(u32::MAX), Some(u64::MAX));
    (limits.lane_records, limits.lane_bytes) = (u64::MAX, u64::MAX);
    (limits.ports_per_context, limits.message_bytes) = (u32::MAX, usize::MAX);
    let mut pair = Pair::new(limits);
    pair.receiver();
    let (port, received) = pair.connect();
    exchange(&mut pair.here, port, &mut pair.there, received);
    let nearly_full = Credit { messages: u64::from(u32::MAX) - 1, bytes: u64::MAX - 20 };
    pair.leg().sent.total = nearly_full;
    pair.there.receiver_windows.entry(received.key()).or_default().sent.total = nearly_full;
    exchange(&mut pair.here, port, &mut pair.there, received);
    exchange(&mut pair.there, received, &mut pair.here, port);
    assert_eq!(
        pair.here.post_message(port, "full").map_err(PostErrorKind::from),
        Err(PostErrorKind::WindowFull)
    );
    assert_eq!(
        pair.there.post_message(received, "full").map_err(PostErrorKind::from),
        Err(PostErrorKind::WindowFull)
    );
    // The next message is reported with all before it, whatever it was.
    let all = Credit { messages: u64::from(u32::MAX), bytes: u64::MAX };
    pair.there.receiver_windows.entry(received.key()).or_default().taken.total = all;
    pair.leg().sent.total.messages -= 1;
    exchange(&mut pair.here, port, &mut pair.there, received);
    assert_eq!(
        pair.here.next_event(),
        Some(Event::Room { context: pair.opener, port, context_data: 0, port_data: 0 })
    );
    exchange(&mut pair.here, port, &mut pair.there, received);
}
