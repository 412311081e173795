//! Ids as numbers, and ids of another service: refused everywhere, and nothing of one's own is touched.

mod common;

use common::*;
use port_core::{
    AttachError, ConnectError, ContextDescription, ContextError, ContextId, EventLoopId, ExtensionInstance,
    FactError, Listening, PortId, PostErrorKind, TabTarget,
};
use std::collections::HashSet;

#[test]
fn ids_of_another_service_are_refused() {
    // Two profiles on one thread, alike in every step.
    let browsers = [Browser::new(), Browser::new()];
    let [mut ours, mut theirs] = browsers.each_ref().map(Browser::apart);
    let (port, received) =
        browsers[0].open_port(&mut ours.here, ours.opener, &mut ours.there, ours.place.tab);
    let (their_port, their_received) =
        browsers[1].open_port(&mut theirs.here, theirs.opener, &mut theirs.there, theirs.place.tab);

    for foreign in [theirs.opener, theirs.script] {
        assert_eq!(ours.here.detach(foreign), Err(ContextError::UnknownContext));
        assert_eq!(ours.here.set_listening(foreign, Listening::none()), Err(ContextError::UnknownContext));
        assert_eq!(connect_runtime(&mut ours.here, foreign, ""), Err(ConnectError::UnknownContext));
        let target = TabTarget::new(ours.place.tab);
        assert_eq!(ours.here.connect_tab(foreign, &target), Err(ConnectError::UnknownContext));
    }
    for foreign in [their_port, their_received] {
        assert!(!ours.here.is_open(foreign));
        assert!(!ours.here.disconnect(foreign));
        assert_eq!(
            ours.here.post_message(foreign, "x").map_err(PostErrorKind::from),
            Err(PostErrorKind::Disconnected)
        );
    }
    let stranger = ContextDescription::background(browsers[1].extension);
    assert_eq!(ours.here.attach(stranger), Err(AttachError::UnknownExtension));
    let service = &browsers[0].service;
    assert_eq!(service.extension_unloaded(browsers[1].extension), Err(FactError::UnknownExtension));
    assert_eq!(service.event_loop_gone(theirs.here.id()), Err(FactError::UnknownEventLoop));

    // Nobody noticed.
    ours.here.post_message(port, "here").unwrap();
    theirs.there.post_message(their_received, "there").unwrap();
    assert_eq!(hear(&mut ours.there), [message("here")]);
    assert_eq!(hear(&mut theirs.here), [message("there")]);
    assert!(ours.there.is_open(received) && theirs.here.is_open(their_port));
}

#[test]
fn ids_of_all_services_differ() {
    let browsers: [_; 3] = std::array::from_fn(|_| Browser::new());
    let mut numbers = HashSet::new();
    for browser in &browsers {
        let mut apart = browser.apart();
        let (port, received) =
            browser.open_port(&mut apart.here, apart.opener, &mut apart.there, apart.place.tab);
        assert!(numbers.insert(("instance", browser.extension.to_bits())));
        assert!(numbers.insert(("loop", apart.here.id().to_bits())));
        assert!(numbers.insert(("loop", apart.there.id().to_bits())));
        assert!(numbers.insert(("context", apart.opener.to_bits())));
        assert!(numbers.insert(("context", apart.script.to_bits())));
        assert!(numbers.insert(("port", port.to_bits())));
        assert!(numbers.insert(("port", received.to_bits())));
    }
    assert!(numbers.iter().all(|(_, bits)| *bits != 0), "0 is free for the embedder's use");
}

#[test]
fn an_id_comes_back_from_its_number() {
    let browser = Browser::new();
    let mut apart = browser.apart();
    let (port, _) = browser.open_port(&mut apart.here, apart.opener, &mut apart.there, apart.place.tab);
    assert_eq!(PortId::from_bits(port.to_bits()), port);
    assert_eq!(ContextId::from_bits(apart.opener.to_bits()), apart.opener);
    assert_eq!(ExtensionInstance::from_bits(browser.extension.to_bits()), browser.extension);
    let id = apart.here.id();
    assert_eq!(EventLoopId::from_bits(id.to_bits()), id);
    assert_eq!((port.event_loop(), apart.opener.event_loop()), (id, id));
    // By its number a port does all that it does by its id.
    apart.here.post_message(PortId::from_bits(port.to_bits()), "x").unwrap();
    assert_eq!(hear(&mut apart.there), [message("x")]);
}

#[test]
fn forged_and_stale_numbers_are_refused() {
    let browser = Browser::new();
    let mut apart = browser.apart();
    let (ended, _) = browser.open_port(&mut apart.here, apart.opener, &mut apart.there, apart.place.tab);
    assert!(apart.here.disconnect(ended));
    drain(&mut apart.there);
    let (port, received) =
        browser.open_port(&mut apart.here, apart.opener, &mut apart.there, apart.place.tab);
    assert_ne!(port, ended);
    // The stale one names the slot that the other took over; every other bit but one is right.
    let stale_and_forged = std::iter::once(ended.to_bits())
        .chain((0..u64::BITS).map(|bit| port.to_bits() ^ 1 << bit))
        .chain([0, u64::MAX]);
    for bits in stale_and_forged {
        let forged = PortId::from_bits(bits);
        assert!(!apart.here.is_open(forged), "{bits:x}");
        assert!(!apart.here.disconnect(forged), "{bits:x}");
        assert_eq!(
            apart.here.post_message(forged, "x").map_err(PostErrorKind::from),
            Err(PostErrorKind::Disconnected),
            "{bits:x}"
        );
        let context = ContextId::from_bits(bits ^ port.to_bits() ^ apart.opener.to_bits());
        if context != apart.opener {
            assert_eq!(apart.here.detach(context), Err(ContextError::UnknownContext), "{bits:x}");
        }
        let event_loop = EventLoopId::from_bits(bits ^ port.to_bits() ^ apart.here.id().to_bits());
        if ![apart.here.id(), apart.there.id()].contains(&event_loop) {
            let refused = browser.service.event_loop_gone(event_loop);
            assert_eq!(refused, Err(FactError::UnknownEventLoop), "{bits:x}");
        }
        let instance = ExtensionInstance::from_bits(!bits);
        assert_eq!(browser.service.extension_unloaded(instance), Err(FactError::UnknownExtension));
    }
    apart.here.post_message(port, "x").unwrap();
    assert_eq!(hear(&mut apart.there), [message("x")]);
    assert!(apart.there.is_open(received));
}
