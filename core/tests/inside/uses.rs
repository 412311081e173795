//! What is kept of uses is no more than the ports that there are.

use crate::{ContextDescription, Event, ExtensionDescription, Listening, MessageService, RuntimeTarget};
use std::task::Waker;

#[test]
fn ports_that_come_and_go_leave_no_use_behind() {
    let service = MessageService::default();
    let extension =
        service.extension_loaded(ExtensionDescription::new("busy@example").background_on_demand()).unwrap();
    let mut event_loop = service.event_loop(Waker::noop().clone());
    let background = event_loop.attach(ContextDescription::background(extension)).unwrap();
    event_loop.set_listening(background, Listening::PORTS.ready(true)).unwrap();
    let page = event_loop.attach(ContextDescription::page(extension)).unwrap();
    for round in 0..100 {
        let port = event_loop.connect_runtime(page, &RuntimeTarget::own()).unwrap();
        let Some(Event::Connect { port: received, .. }) = event_loop.next_event() else { panic!() };
        assert_eq!(event_loop.uses.ports(), 1);
        let gone = if round % 2 == 0 { port } else { received };
        assert!(event_loop.disconnect(gone));
        assert!(event_loop.next_event().is_some());
        assert_eq!(event_loop.uses.ports(), 0);
    }
    assert_eq!(event_loop.why_awake(background).unwrap().uses, 200);
}
