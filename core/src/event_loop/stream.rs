//! Events as a stream, for asynchronous hosts.

use super::EventLoop;
use crate::event::Event;
use futures_core::Stream;
use std::pin::Pin;
use std::task::{Context, Poll};

/// How many events the stream gives in a row before the task yields.
const BUDGET: u32 = 64;

/// Gives the events of an event loop, as a [`Stream`] that never ends. See [`EventLoop::events`].
#[derive(Debug)]
#[must_use = "a stream does nothing unless it is polled"]
pub struct Events<'a> {
    event_loop: &'a mut EventLoop,
}

impl<'a> Events<'a> {
    pub(super) fn new(event_loop: &'a mut EventLoop) -> Self {
        Self { event_loop }
    }
}

impl Stream for Events<'_> {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let event_loop = &mut *self.get_mut().event_loop;
        if event_loop.streamed == BUDGET {
            event_loop.streamed = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        match event_loop.poll_event(context) {
            Poll::Ready(event) => {
                event_loop.streamed += 1;
                Poll::Ready(Some(event))
            }
            Poll::Pending => {
                event_loop.streamed = 0;
                Poll::Pending
            }
        }
    }
}
