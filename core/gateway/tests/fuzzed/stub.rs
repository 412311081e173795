//! A browser that sends anything, and a renderer whose scripts make calls meanwhile.

use super::Choices;
use port_core::{
    AttachError, ConnectKind, ContextDescription, ContextKind, DisconnectReason, DocumentLifecycle, Event,
    ExtensionId, Listening, MessageService, RuntimeTarget, TabId,
};
use port_core_gateway::wire::{Down, PortRuns, VERSION};
use port_core_gateway::{
    Bounds, Content, ContextNumber, InTab, OfExtension, PortNumber, SenderDescription, Stub, StubEvent,
};
use std::collections::HashSet;
use std::task::Waker;

/// A sender, as the core makes one.
fn sender() -> SenderDescription {
    let service = MessageService::default();
    let extension = service.extension_loaded(ExtensionId::new("greeter@example")).unwrap();
    let mut event_loop = service.event_loop(Waker::noop().clone());
    let [opener, receiver] =
        [(); 2].map(|()| event_loop.attach(ContextDescription::background(extension)).unwrap());
    event_loop.set_listening(receiver, Listening::PORTS).unwrap();
    event_loop.connect_runtime(opener, &RuntimeTarget::own()).unwrap();
    match event_loop.next_event() {
        Some(Event::Connect { sender, .. }) => (&sender).into(),
        other => panic!("{other:?}"),
    }
}

/// Runs the script that any bytes are. Returns how many events were heard.
///
/// # Panics
///
/// When the stub hears something of what has ended, or forgets that the browser lied.
pub fn stub(input: &[u8]) -> usize {
    let mut choices = Choices::new(input);
    let mut stub = Stub::new();
    let (mut contexts, mut ports, mut granted, mut accepted) = (Vec::new(), Vec::new(), 0, 0);
    let mut ended = HashSet::new();
    let mut heard = 0;
    let mut bytes = Vec::new();
    let window = [(None, None), (Some(1), None), (Some(4), Some(9)), (None, Some(0))][choices.below(4)];
    let bounds = Bounds::default().port_messages(3).message_bytes(1_000);
    if choices.below(64) < 63 {
        Down::Hello { version: VERSION, bounds, window }.write(&mut bytes);
    }
    while !choices.is_empty() {
        frame(&mut choices, &mut bytes, &mut granted, &mut accepted);
        let cut = [bytes.len(), bytes.len(), choices.below(bytes.len().clamp(1, 256))][choices.below(3)];
        stub.receive(&bytes[..cut]);
        bytes.drain(..cut);
        loop {
            let event = match stub.next_event() {
                Ok(Some(event)) => event,
                Ok(None) => break,
                Err(lie) => {
                    assert_eq!(stub.next_event(), Err(lie));
                    return heard;
                }
            };
            heard += 1;
            match event {
                StubEvent::Granted { context, .. } => contexts.push(context),
                StubEvent::Connect { context, port, .. } => {
                    assert_eq!(stub.context_of(port), Some(context));
                    ports.push(port);
                }
                StubEvent::Message { context, port, .. } | StubEvent::Room { context, port, .. } => {
                    assert_eq!(stub.context_of(port), Some(context));
                }
                StubEvent::Disconnect { port, .. } => assert!(ended.insert(port), "{port:?} ended twice"),
                StubEvent::ContextGone { context, ports, .. }
                | StubEvent::AttachRefused { context, ports, .. } => {
                    assert!(ports.into_iter().all(|port| ended.insert(port)));
                    assert_eq!(stub.ports(context).count(), 0);
                }
                _ => {}
            }
        }
        call(&mut choices, &mut stub, &contexts, &mut ports, &mut ended);
        stub.sent(stub.output().len());
    }
    heard
}

/// Writes a frame of the browser's, most of the time one that fits.
fn frame(choices: &mut Choices<'_>, bytes: &mut Vec<u8>, granted: &mut u64, accepted: &mut u64) {
    let context = ContextNumber::from_bits(1 + choices.number() % (*granted).max(1));
    let port = PortNumber::from_bits(2 * (choices.number() % (*accepted).max(1)) + 1);
    let reason = DisconnectReason::ALL[choices.below(DisconnectReason::ALL.len())];
    // What needs a context or a port comes once there is one.
    let first = match (*granted, *accepted) {
        (0, _) => 0,
        (1, 0) => 5,
        _ => choices.below(24),
    };
    match first {
        0..=2 => {
            *granted += 1;
            let context = ContextNumber::from_bits(*granted);
            let kind = [
                ContextKind::ContentScript,
                ContextKind::Background,
                ContextKind::Page,
                ContextKind::WebPage,
            ][choices.below(4)];
            Down::Grant { context, kind, label: b"label" }.write(bytes);
        }
        3 => Down::Revoke { context }.write(bytes),
        4 => Down::AttachRefused { context, error: AttachError::ALL[choices.below(4)] }.write(bytes),
        5..=8 => {
            let port = PortNumber::from_bits(2 * *accepted + 1);
            *accepted += 1;
            let mut sender = sender();
            sender.lifecycle = [None, Some(DocumentLifecycle::Cached)][choices.below(2)];
            let (undecided, external) = (choices.below(4) > 0, choices.below(4) == 0);
            let (kind, name) = (ConnectKind::Port, "name");
            Down::Connect { context, port, kind, undecided, external, name, sender }.write(bytes);
        }
        9..=14 => {
            let payload = vec![7; [0, 3, 200, 70_000][choices.below(4)]];
            Down::Message { port, content: Content::from(&payload[..]) }.write(bytes);
        }
        21 if choices.below(4) > 0 => {
            let all = (0..*accepted).filter(|_| choices.below(2) == 0);
            let ports: Vec<_> = all.map(|port| PortNumber::from_bits(2 * port + 1)).collect();
            for ports in PortRuns::in_frames(&PortRuns::to_bytes(&ports)) {
                Down::MessageToSeveral { ports, content: Content::from("to several") }.write(bytes);
            }
        }
        15..=16 => Down::End { port, reason, not_listening: false }.write(bytes),
        17..=18 => Down::PortCredit { port, messages: u32::from(choices.byte()), bytes: choices.number() }
            .write(bytes),
        19 => Down::Credit { messages: u32::from(choices.byte()), bytes: choices.number() }.write(bytes),
        20 => Down::ContextGone { context, reason }.write(bytes),
        21 if choices.below(64) == 63 => {
            Down::Hello { version: VERSION, bounds: Bounds::default(), window: (None, None) }.write(bytes);
        }
        22 if choices.below(64) == 63 => (0..choices.below(30)).for_each(|_| bytes.push(choices.byte())),
        23 if choices.below(64) == 63 => {
            let port = PortNumber::from_bits(choices.number());
            Down::Message { port, content: Content::from("anywhere") }.write(bytes);
        }
        _ => {}
    }
}

/// A call of a script's.
fn call(
    choices: &mut Choices<'_>,
    stub: &mut Stub,
    contexts: &[ContextNumber],
    ports: &mut Vec<PortNumber>,
    ended: &mut HashSet<PortNumber>,
) {
    let context = choices.recent(contexts).unwrap_or(ContextNumber::from_bits(0));
    let port = choices.recent(ports).unwrap_or(PortNumber::from_bits(0));
    match choices.below(16) {
        0..=3 => drop(stub.attach(context)),
        4 => drop(stub.set_listening(context, Listening::PORTS.asks(choices.below(2) == 0))),
        5 => {
            let held: Vec<_> = stub.ports(context).collect();
            if stub.detach(context).is_ok() {
                ended.extend(held);
            }
        }
        6 => ports.extend(stub.connect_tab(context, &InTab::new(TabId::new(1)))),
        7 => ports.extend(stub.connect_runtime(context, &OfExtension::own())),
        8 if stub.disconnect(port) => assert!(ended.insert(port)),
        9..=12 => drop(stub.post_message(port, "message")),
        13 => stub.trim(),
        14 if stub.refuse(port) => assert!(ended.insert(port)),
        15 if stub.accept(port) => assert!(!stub.refuse(port)),
        _ => {}
    }
}
