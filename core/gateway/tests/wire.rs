//! Frames are read as they were written, and nothing else is read.

use port_core::{
    AttachError, ConnectKind, ContextKind, DisconnectReason, DocumentId, DocumentLifecycle, ExtensionId,
    FrameId, Listening, MessageFormat, TabId,
};
use port_core_gateway::wire::{Down, PortRuns, Up};
use port_core_gateway::{
    Bounds, Content, ContextNumber, InTab, Lied, OfExtension, PortNumber, SenderDescription,
};

const CONTEXT: ContextNumber = ContextNumber::from_bits(7);
const PORT: PortNumber = PortNumber::from_bits(u64::MAX - 1);

fn contents() -> [Content<'static>; 4] {
    [
        Content::from(""),
        Content::from("text").user_activation(true),
        Content::from(&[0xff; 300]).format(MessageFormat::StructuredClone),
        Content::from(&[1]).format(MessageFormat::Other(200)),
    ]
}

fn ups() -> Vec<Up<'static>> {
    let everything = Listening::PORTS
        .one_off(true)
        .external_ports(true)
        .external_one_off(true)
        .ready(true)
        .asks(true)
        .listeners(900);
    let mut frames = vec![
        Up::Hello { version: 3 },
        Up::Attach { context: CONTEXT },
        Up::Detach { context: CONTEXT },
        Up::Disconnect { port: PORT },
        Up::Accept { port: PORT },
        Up::Refuse { port: PORT },
        Up::Taken { port: PORT, messages: u32::MAX, bytes: 7 },
    ];
    frames.extend(
        [Listening::none(), Listening::PORTS, Listening::none().external_one_off(true), everything]
            .map(|listening| Up::Listen { context: CONTEXT, listening }),
    );
    let everywhere = InTab::new(TabId::new(1)).name("näme");
    for target in [
        everywhere,
        InTab { frame: Some(FrameId::TOP), ..everywhere },
        InTab { document: Some(DocumentId::new(u128::MAX)), kind: ConnectKind::OneOff, ..everywhere },
        InTab { frame: Some(FrameId::new(u64::MAX)), document: Some(DocumentId::new(0)), ..everywhere },
    ] {
        frames.push(Up::ConnectTab { context: CONTEXT, port: PORT, target });
    }
    for target in [
        OfExtension::own(),
        OfExtension { extension: Some("other@example"), kind: ConnectKind::OneOff, name: "name" },
        OfExtension { extension: Some(""), ..OfExtension::own() },
    ] {
        frames.push(Up::ConnectRuntime { context: CONTEXT, port: PORT, target });
    }
    frames.extend(contents().map(|content| Up::Post { port: PORT, content }));
    frames
}

/// Ports in two rows.
const SEVERAL: [u64; 5] = [1, 3, 5, 9, 11];

fn senders() -> Vec<SenderDescription> {
    let service = port_core::MessageService::default();
    let extension = service.extension_loaded(ExtensionId::new("greeter@example")).unwrap();
    let mut event_loop = service.event_loop(std::task::Waker::noop().clone());
    let (tab, document) = (TabId::new(7), DocumentId::new(1));
    service.tab_opened(tab, port_core::WindowId::new(1)).unwrap();
    service.frame_attached(tab, FrameId::TOP, None, document).unwrap();
    let place = port_core::Place::new(tab, FrameId::TOP, document);
    let mut descriptions = vec![
        port_core::ContextDescription::background(extension).url("ext://a").origin("ext://"),
        port_core::ContextDescription::page(extension).in_document(DocumentId::new(9)),
        port_core::ContextDescription::content_script(extension, place).url("https://example.org/ü"),
        port_core::ContextDescription::web_page(place, ["greeter@example"]),
    ];
    let receiver = event_loop.attach(descriptions.remove(0)).unwrap();
    event_loop.set_listening(receiver, Listening::PORTS.external_ports(true)).unwrap();
    let senders = descriptions.into_iter().map(|description| {
        let opener = event_loop.attach(description).unwrap();
        event_loop.connect_runtime(opener, &port_core::RuntimeTarget::extension("greeter@example")).unwrap();
        match event_loop.next_event() {
            Some(port_core::Event::Connect { sender, .. }) => SenderDescription::from(&sender),
            other => panic!("{other:?}"),
        }
    });
    let mut senders: Vec<_> = senders.collect();
    for lifecycle in [None, Some(DocumentLifecycle::Cached)] {
        let mut sender = senders[1].clone();
        (sender.lifecycle, sender.context, sender.frame) = (lifecycle, None, None);
        senders.push(sender);
    }
    senders
}

fn downs() -> Vec<Down<'static>> {
    let mut frames = vec![
        Down::Hello {
            version: 1,
            bounds: Bounds::default().port_messages(3).bytes(u64::MAX),
            window: (None, Some(u64::MAX)),
        },
        Down::Hello { version: 1, bounds: Bounds::default(), window: (Some(0), None) },
        Down::Revoke { context: CONTEXT },
        Down::PortCredit { port: PORT, messages: 1, bytes: u64::MAX },
        Down::Credit { messages: u32::MAX, bytes: 2 },
    ];
    for kind in [ContextKind::ContentScript, ContextKind::Background, ContextKind::Page, ContextKind::WebPage]
    {
        frames.push(Down::Grant { context: CONTEXT, kind, label: b"label" });
    }
    frames
        .extend(AttachError::ALL.iter().map(|error| Down::AttachRefused { context: CONTEXT, error: *error }));
    for reason in DisconnectReason::ALL.iter().copied() {
        frames.push(Down::End { port: PORT, reason, not_listening: false });
        frames.push(Down::End { port: PORT, reason, not_listening: true });
        frames.push(Down::ContextGone { context: CONTEXT, reason });
    }
    for (sender, kind) in
        senders().into_iter().zip([ConnectKind::Port, ConnectKind::OneOff].into_iter().cycle())
    {
        for (undecided, external) in [(false, false), (true, false), (false, true), (true, true)] {
            let (context, port, name, sender) = (CONTEXT, PORT, "näme", sender.clone());
            frames.push(Down::Connect { context, port, kind, undecided, external, name, sender });
        }
    }
    frames.extend(contents().map(|content| Down::Message { port: PORT, content }));
    let ports = SEVERAL.map(PortNumber::from_bits);
    let runs: &'static [u8] = PortRuns::to_bytes(&ports).leak();
    for ports in PortRuns::in_frames(runs) {
        frames.extend(contents().map(|content| Down::MessageToSeveral { ports, content }));
    }
    frames
}

/// What a frame's bytes are read as, whole, cut short anywhere, and with something behind. A payload or a label goes
/// on to the end of its frame.
fn check<T: PartialEq + std::fmt::Debug>(
    written: &T,
    bytes: &[u8],
    open_ended: bool,
    read: impl for<'a> Fn(&'a [u8]) -> Result<Option<()>, Lied>,
) {
    let (length, frame) = bytes.split_first_chunk().unwrap();
    assert_eq!(u32::from_le_bytes(*length) as usize, frame.len());
    assert_eq!(read(frame), Ok(Some(())), "{written:?}");
    for shorter in 0..frame.len() {
        let got = read(&frame[..shorter]);
        let cut = matches!(got, Err(Lied::Short | Lied::Length));
        assert!(cut || (open_ended && got == Ok(None)), "{written:?} cut to {shorter}: {got:?}");
    }
    let longer = [frame, &[0]].concat();
    let got = read(&longer);
    assert!(got == Err(Lied::Long) || (open_ended && got == Ok(None)), "{written:?}: {got:?}");
}

#[test]
fn frames_are_read_as_they_were_written() {
    for written in ups() {
        let mut bytes = Vec::new();
        written.write(&mut bytes);
        let open_ended = matches!(written, Up::Post { .. });
        check(&written, &bytes, open_ended, |bytes| {
            Up::read(bytes).map(|read| (read == written).then_some(()))
        });
    }
    for written in downs() {
        let mut bytes = Vec::new();
        written.write(&mut bytes);
        let open_ended =
            matches!(written, Down::Message { .. } | Down::MessageToSeveral { .. } | Down::Grant { .. });
        check(&written, &bytes, open_ended, |bytes| {
            Down::read(bytes).map(|read| (read == written).then_some(()))
        });
    }
}

#[test]
fn every_byte_is_read_or_refused_and_never_two_ways() {
    // Whatever a byte is changed to, what is read is written as the same bytes again: there is one way to say a
    // thing.
    for written in ups() {
        let mut bytes = Vec::new();
        written.write(&mut bytes);
        each_change(&mut bytes, |bytes| {
            let Ok(read) = Up::read(&bytes[4..]) else { return };
            let mut again = Vec::new();
            read.write(&mut again);
            assert_eq!(again, bytes, "{read:?}");
        });
    }
    for written in downs() {
        let mut bytes = Vec::new();
        written.write(&mut bytes);
        each_change(&mut bytes, |bytes| {
            let Ok(read) = Down::read(&bytes[4..]) else { return };
            let mut again = Vec::new();
            read.write(&mut again);
            assert_eq!(again, bytes, "{read:?}");
        });
    }
}

fn each_change(bytes: &mut [u8], check: impl Fn(&[u8])) {
    for at in 4..bytes.len() {
        let was = bytes[at];
        for change in [0, 1, 2, 3, 4, 5, 0x7f, 0x80, 0x81, 0xfe, 0xff] {
            bytes[at] = change;
            check(bytes);
        }
        bytes[at] = was;
    }
}

#[test]
fn what_no_version_writes_is_refused() {
    for (bytes, lied) in [
        (&[][..], Lied::Length),
        (&[11], Lied::Kind),
        (&[255], Lied::Kind),
        (&[0, 1, 0, 0], Lied::Short),
        (&[6, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0], Lied::Value),
        (&[6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], Lied::Value),
        (&[3, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0], Lied::Value),
    ] {
        assert_eq!(Up::read(bytes).unwrap_err(), lied, "{bytes:?}");
    }
    let mut bytes = Vec::new();
    let target = OfExtension::own().name("abc");
    Up::ConnectRuntime { context: CONTEXT, port: PORT, target }.write(&mut bytes);
    let name = bytes.windows(3).position(|bytes| bytes == b"abc").unwrap();
    bytes[name] = 0xff;
    assert_eq!(Up::read(&bytes[4..]).unwrap_err(), Lied::Text);
    // A text that says it is longer than all memory.
    bytes[name - 4..name].copy_from_slice(&[0xff; 4]);
    assert_eq!(Up::read(&bytes[4..]).unwrap_err(), Lied::Short);
    assert_eq!(Down::read(&[6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap_err(), Lied::Value);
    assert_eq!(Down::read(&[11]).unwrap_err(), Lied::Kind);
}

#[test]
fn every_kind_of_lie_has_a_text() {
    for lied in Lied::ALL {
        assert!(!lied.text().is_empty());
        assert_eq!(Lied::ALL.iter().filter(|other| other.text() == lied.text()).count(), 1);
    }
}
