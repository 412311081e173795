//! What the browser was told before a renderer sent something comes before what it sent.

mod common;

use common::{Browser, ConnectedRenderer, disconnect, hear, message};
use port_core::{BackForwardCache, DisconnectReason, Policies};
use port_core_gateway::{Bounds, StubEvent};

#[test]
fn a_fact_comes_before_bytes_that_were_sent_after_it() {
    let policies = Policies::default().back_forward_cache(BackForwardCache::Ends);
    let browser = Browser::with_policies(policies);
    let ConnectedRenderer { mut renderer, place, port, mut there, .. } =
        ConnectedRenderer::new(&browser, Bounds::default());
    renderer.stub.post_message(port, "on the page").unwrap();
    renderer.carry_up().unwrap();
    assert_eq!(hear(&mut there), [message("on the page")]);

    // Nobody gives the host a turn in between.
    browser.service.document_cached(place.document).unwrap();
    renderer.stub.post_message(port, "from the cache").unwrap();
    renderer.carry_up().unwrap();
    assert_eq!(hear(&mut there), [disconnect(DisconnectReason::BackForwardCache)]);
    renderer.carry_down();
    let heard = renderer.stub.next_event().unwrap();
    assert!(
        matches!(
            heard,
            None | Some(StubEvent::Disconnect { reason: DisconnectReason::BackForwardCache, .. })
        ),
        "{heard:?}"
    );
}
