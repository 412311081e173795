//! Numbers of event loops at their end.

use super::*;
use crate::description::ContextDescription;
use crate::error::{AttachError, FactError};
use crate::event_loop::EventLoop;
use crate::ids::ExtensionId;
use crate::service::MessageService;
use std::task::Waker;

#[test]
fn an_event_loop_that_no_number_is_left_for_is_gone_from_the_start() {
    let service = MessageService::default();
    let extension = service.extension_loaded(ExtensionId::new("extension")).unwrap();
    let inner = service.inner();
    let make = |number| {
        let shared = inner.enter_event_loop(number, Wakeup::new(Waker::noop().clone()), None);
        EventLoop::new(Arc::clone(inner), shared)
    };
    let description = || ContextDescription::background(extension);
    let mut last = make((1 << 24) - 1);
    let [mut one, two] = [1 << 24, u64::MAX].map(make);
    last.attach(description()).unwrap();
    assert_eq!(one.attach(description()), Err(AttachError::EventLoopGone));
    assert_eq!(service.event_loop_gone(one.id()), Err(FactError::UnknownEventLoop));
    assert_eq!((one.next_event(), one.id()), (None, two.id()));
    drop((one, two));
    assert_eq!(service.event_loop_gone(last.id()), Ok(()));
}
