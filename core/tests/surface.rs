//! What the types promise by themselves.

mod common;

use bytes::Bytes;
use common::Browser;
use port_core::{
    AttachError, ConnectError, ContextError, ContextId, DisconnectReason, DocumentId, Event, EventLoop,
    ExtensionId, FactError, FrameId, INLINE_BYTES, Limits, Message, MessageFormat, MessageService, Payload,
    Policies, PortId, PortName, PostError, PostErrorKind, Sender, TabId, TabTarget, WindowId,
};
use std::error::Error;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Waker;

const fn is_send<T: Send>() {}
const fn is_sync<T: Sync>() {}
const fn is_copy<T: Copy>() {}
const fn is_hash<T: Hash>() {}
const fn is_eq<T: Eq>() {}

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
    is_send::<PostError>();
    is_copy::<PortId>();
    is_copy::<ContextId>();
    is_copy::<TabId>();
    is_copy::<DisconnectReason>();
    is_copy::<Policies>();
    is_copy::<Limits>();
    is_hash::<Policies>();
    is_hash::<Limits>();
    is_eq::<Event>();
    is_eq::<Sender>();
};
assert_not!(EventLoop: Sync);
assert_not!(EventLoop: Clone);

/// Each variant of an enum with its number, which may never change, and that the enum has no other.
macro_rules! numbers {
    ($name:ident { $($variant:ident = $code:literal),+ $(,)? }) => {{
        let all = [$(($name::$variant, $code)),+];
        let known: Vec<_> = $name::ALL.iter().map(|one| (*one, one.code())).collect();
        assert_eq!(known, all);
        for (one, _) in all {
            let text = one.text();
            assert_eq!(text, one.to_string());
            assert!(!text.is_empty() && !text.ends_with('.') && text == text.trim(), "{text:?}");
            assert!(!text.starts_with(char::is_uppercase), "{text:?}");
            assert_eq!($name::ALL.iter().filter(|other| other.text() == text).count(), 1, "{text:?}");
        }
        all.map(|(_, code)| code)
    }};
}

#[test]
fn numbers_of_errors_and_reasons_stay() {
    let mut codes = Vec::<u16>::new();
    codes.extend(numbers!(FactError {
        UnknownTab = 100,
        TabExists = 101,
        UnknownFrame = 102,
        FrameExists = 103,
        UnknownDocument = 104,
        DocumentExists = 105,
        UnknownExtension = 106,
        ExtensionExists = 107,
        UnknownEventLoop = 108,
    }));
    codes.extend(numbers!(AttachError {
        UnknownExtension = 200,
        UnknownDocument = 201,
        EventLoopGone = 202,
        TooManyContexts = 203,
        DescriptionTooLong = 204,
    }));
    codes.extend(numbers!(ContextError { UnknownContext = 300, Gone = 301 }));
    codes.extend(numbers!(ConnectError {
        UnknownContext = 400,
        Gone = 401,
        Cached = 402,
        NotAllowed = 403,
        TooManyPorts = 404,
        Busy = 405,
        NameTooLong = 406,
    }));
    codes.extend(numbers!(PostErrorKind {
        Disconnected = 500,
        Gone = 501,
        TooLarge = 502,
        WindowFull = 503,
        Busy = 504,
    }));
    codes.extend(numbers!(DisconnectReason {
        Disconnected = 600,
        SiblingEnded = 601,
        NoReceiver = 602,
        LimitReached = 603,
        ContextDetached = 604,
        FrameRemoved = 605,
        Navigated = 606,
        TabClosed = 607,
        TabDiscarded = 608,
        TabCrashed = 609,
        BackForwardCache = 610,
        ExtensionUnloaded = 611,
        EventLoopGone = 612,
        BackgroundStopped = 613,
        BackgroundNotStarted = 614,
        ProcessCrashed = 615,
    }));
    assert!(codes.is_sorted_by(|one, next| one < next), "no number twice: {codes:?}");
}

#[test]
fn errors_go_anywhere() {
    fn check<E: Error + Send + Sync + 'static>() {}
    check::<FactError>();
    check::<AttachError>();
    check::<ContextError>();
    check::<ConnectError>();
    check::<PostError>();
    check::<PostErrorKind>();
}

/// A post of something that ends before the error does.
fn post_a_local(event_loop: &mut EventLoop, port: PortId) -> Result<(), Box<dyn Error + Send + Sync>> {
    let local = format!("hello {port:?}");
    event_loop.post_message(port, local.as_str())?;
    Ok(())
}

#[test]
fn a_refused_message_comes_back_unless_it_was_borrowed() {
    let mut event_loop = MessageService::default().event_loop(Waker::noop().clone());
    let unknown = PortId::from_bits(0);
    let error = post_a_local(&mut event_loop, unknown).unwrap_err();
    let error = error.downcast::<PostError>().unwrap();
    assert_eq!(error.to_string(), PostErrorKind::Disconnected.text());
    assert_eq!((error.kind(), error.into_message()), (PostErrorKind::Disconnected, None));

    let bytes = Bytes::from(vec![7; 1_000]);
    let message = Message::from(bytes.clone()).format(MessageFormat::Other(3)).user_activation(true);
    let back = event_loop.post_message(unknown, message.clone()).unwrap_err().into_message();
    assert_eq!(back.as_ref(), Some(&message));
    assert_eq!(back.map(Message::into_bytes).unwrap().as_ptr(), bytes.as_ptr(), "not copied");
}

#[test]
fn a_message_is_made_of_anything_that_has_bytes() {
    let text = "abc".to_string();
    let short = received(Message::from("abc"));
    let made: [Message<'_>; 11] = [
        (&b"abc"[..]).into(),
        b"abc".into(),
        "abc".into(),
        Bytes::from_static(b"abc").into(),
        b"abc".to_vec().into(),
        "abc".to_string().into(),
        (&text).into(),
        (&short).into(),
        short.clone().into(),
        Message::from_owner("abc"),
        Message::from_owner(vec![b'a', b'b', b'c']),
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

/// The payload that this message arrives as.
fn received(message: Message<'_>) -> Payload {
    let browser = Browser::new();
    let mut apart = browser.apart();
    let (port, _) = browser.open_port(&mut apart.here, apart.opener, &mut apart.there, apart.place.tab);
    apart.here.post_message(port, message).unwrap();
    match apart.there.next_event() {
        Some(Event::Message { payload, .. }) => payload,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_long_payload_is_passed_on_and_not_copied() {
    let bytes = Bytes::from(vec![7; 1_000]);
    let long = received(bytes.clone().into());
    assert_eq!(received(Message::from(&long)).as_ptr(), bytes.as_ptr());
    assert_eq!(received(Message::from(long)).as_ptr(), bytes.as_ptr());
}

/// Bytes that count how often they are released.
struct Released(Vec<u8>, Arc<AtomicUsize>);

impl AsRef<[u8]> for Released {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Released {
    fn drop(&mut self) {
        self.1.fetch_add(1, SeqCst);
    }
}

#[test]
fn an_owner_is_released_once_whatever_becomes_of_its_message() {
    let browser = Browser::new();
    let mut apart = browser.apart();
    let (port, _) = browser.open_port(&mut apart.here, apart.opener, &mut apart.there, apart.place.tab);
    for length in [3, 1_000] {
        let bytes = vec![7; length];
        let address = bytes.as_ptr();
        let released = Arc::new(AtomicUsize::new(0));
        let message = || Message::from_owner(Released(vec![7; length], Arc::clone(&released)));

        // Delivered: with the last payload, or with the post that copied it.
        apart.here.post_message(port, Message::from_owner(Released(bytes, Arc::clone(&released)))).unwrap();
        let Some(Event::Message { payload, .. }) = apart.there.next_event() else { panic!("{length}") };
        assert_eq!(payload.len(), length);
        assert_eq!(payload.as_ptr() == address, length > INLINE_BYTES);
        let kept = payload.clone();
        drop(payload);
        assert_eq!(released.load(SeqCst), usize::from(length <= INLINE_BYTES));
        drop(kept);
        assert_eq!(released.swap(0, SeqCst), 1);

        // Refused: with the message, which comes back.
        let refused = apart.here.post_message(PortId::from_bits(0), message()).unwrap_err();
        assert_eq!(released.load(SeqCst), 0);
        let back = refused.into_message().unwrap();
        assert_eq!((back.bytes().len(), released.load(SeqCst)), (length, 0));
        drop(back);
        assert_eq!(released.swap(0, SeqCst), 1);

        // Neither posted nor taken.
        drop(message());
        assert_eq!(released.swap(0, SeqCst), 1);
        let browser = Browser::new();
        let mut apart = browser.apart();
        let (port, _) = browser.open_port(&mut apart.here, apart.opener, &mut apart.there, apart.place.tab);
        apart.here.post_message(port, message()).unwrap();
        drop(apart);
        assert_eq!(released.load(SeqCst), 1);
    }
}

#[test]
fn ids_and_names_show_themselves() {
    assert_eq!(format!("{:?} {}", TabId::new(7), TabId::from(7)), "TabId(7) 7");
    assert_eq!((TabId::new(7).get(), FrameId::TOP.get(), WindowId::new(1).get()), (7, 0, 1));
    let document = DocumentId::new(0xAB);
    assert_eq!(document.to_string(), format!("{:0>32}", "AB"));
    assert_eq!(document.get(), 0xAB);
    assert_eq!((u64::from(TabId::new(7)), u128::from(DocumentId::from(7))), (7, 7));
    let extension = ExtensionId::from("greeter@example");
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
