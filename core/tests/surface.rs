//! What the types promise by themselves.

use bytes::Bytes;
use port_core::{
    AttachError, ConnectError, ContextError, ContextId, DisconnectReason, DocumentId, Event, EventLoop,
    ExtensionId, FactError, FrameId, Limits, Message, MessageFormat, MessageService, Payload, Policies,
    PortId, PortName, PostError, Sender, TabId, TabTarget, WindowId,
};
use std::error::Error;

const fn is_send<T: Send>() {}
const fn is_sync<T: Sync>() {}
const fn is_copy<T: Copy>() {}

/// Fails to compile when `$type` implements `$trait`: then both give `assert` a meaning.
macro_rules! assert_not {
    ($type:ty: $trait:path) => {
        const _: fn() = || {
            trait Ambiguous<Marker> {
                fn assert() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            struct Implements;
            impl<T: ?Sized + $trait> Ambiguous<Implements> for T {}
            <$type as Ambiguous<_>>::assert();
        };
    };
}

const _: () = {
    is_send::<EventLoop>();
    is_send::<MessageService>();
    is_sync::<MessageService>();
    is_send::<Event>();
    is_sync::<Event>();
    is_send::<Payload>();
    is_sync::<Payload>();
    is_send::<Sender>();
    is_sync::<Sender>();
    is_send::<PostError<'_>>();
    is_copy::<PortId>();
    is_copy::<ContextId>();
    is_copy::<TabId>();
    is_copy::<DisconnectReason>();
    is_copy::<Policies>();
};
assert_not!(EventLoop: Sync);
assert_not!(EventLoop: Clone);

#[test]
fn errors_say_what_is_wrong() {
    fn check<E: Error + PartialEq + std::fmt::Debug>(all: &[E]) {
        for (at, one) in all.iter().enumerate() {
            let text = one.to_string();
            assert!(!text.is_empty() && !text.ends_with('.') && text == text.trim(), "{text:?}");
            for other in &all[at + 1..] {
                assert_ne!(text, other.to_string());
            }
        }
    }
    check(&[
        FactError::UnknownTab,
        FactError::TabExists,
        FactError::UnknownFrame,
        FactError::FrameExists,
        FactError::UnknownDocument,
        FactError::DocumentExists,
        FactError::UnknownExtension,
        FactError::ExtensionExists,
        FactError::UnknownEventLoop,
    ]);
    check(&[
        AttachError::UnknownExtension,
        AttachError::UnknownDocument,
        AttachError::EventLoopGone,
        AttachError::TooManyContexts,
    ]);
    check(&[ContextError::UnknownContext]);
    check(&[
        ConnectError::UnknownContext,
        ConnectError::Gone,
        ConnectError::NotAllowed,
        ConnectError::TooManyPorts,
        ConnectError::Busy,
    ]);
    let message = Message::from("x");
    let all = [
        PostError::Disconnected(message.clone()),
        PostError::Gone(message.clone()),
        PostError::TooLarge(message.clone()),
        PostError::WindowFull(message.clone()),
        PostError::Busy(message.clone()),
    ];
    check(&all);
    for error in all {
        assert_eq!(error.into_message(), message);
    }
}

#[test]
fn reasons_say_why() {
    use DisconnectReason::*;
    let all = [
        Disconnected,
        SiblingEnded,
        NoReceiver,
        LimitReached,
        ContextDetached,
        FrameRemoved,
        Navigated,
        TabClosed,
        TabDiscarded,
        TabCrashed,
        BackForwardCache,
        ExtensionUnloaded,
        EventLoopGone,
    ];
    for (at, one) in all.iter().enumerate() {
        assert!(all[at + 1..].iter().all(|other| one != other && one.to_string() != other.to_string()));
    }
}

#[test]
fn a_message_is_made_of_anything_that_has_bytes() {
    let made: [Message<'_>; 6] = [
        (&b"abc"[..]).into(),
        b"abc".into(),
        "abc".into(),
        Bytes::from_static(b"abc").into(),
        b"abc".to_vec().into(),
        "abc".to_string().into(),
    ];
    for message in made {
        assert_eq!(message, Message::from("abc"));
        assert_eq!(message.bytes(), b"abc");
        assert_ne!(message, message.clone().format(MessageFormat::StructuredClone));
        assert_ne!(message, message.clone().user_activation(true));
        let shown = format!("{message:?}");
        assert!(shown.contains(r#"b"abc""#) && shown.contains("Json"), "{shown}");
        assert_eq!(message.into_bytes(), "abc");
    }
}

#[test]
fn ids_and_names_show_themselves() {
    assert_eq!(format!("{:?} {}", TabId::new(7), TabId::from(7)), "TabId(7) 7");
    assert_eq!((TabId::new(7).get(), FrameId::TOP.get(), WindowId::new(1).get()), (7, 0, 1));
    let document = DocumentId::new(0xAB);
    assert_eq!(document.to_string(), format!("{:0>32}", "AB"));
    assert_eq!(document.get(), 0xAB);
    let extension = ExtensionId::new("greeter@example");
    assert_eq!((extension.as_str(), extension.to_string().as_str()), ("greeter@example", "greeter@example"));
    let name = PortName::from("a name that is longer than twenty-three bytes");
    assert_eq!(name, *name.as_str());
    assert_eq!(name.clone(), name);
    assert_eq!(format!("{:?}", PortName::new("a\"b")), r#""a\"b""#);
    assert_eq!(PortName::default(), "");
    let target = TabTarget::new(TabId::new(1));
    assert_ne!(target, target.clone().name("x"));
}

#[test]
fn limits_are_chromiums_where_it_has_any() {
    let limits = Limits::default();
    assert_eq!(limits.message_bytes, 64 * 1024 * 1024);
    assert_eq!((limits.window_messages, limits.window_bytes), (None, None));
}
