//! Wakers that tests look at.

use super::Browser;
use port_core::EventLoop;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Wake, Waker};

/// Counts wakes.
#[derive(Debug, Default)]
pub struct Wakes(AtomicUsize);

impl Wakes {
    /// How many there were.
    pub fn count(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// How many there were since the last take.
    pub fn take(&self) -> usize {
        self.0.swap(0, Relaxed)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Makes a waker that counts its wakes, and gives its counter.
pub fn counting_waker() -> (Waker, Arc<Wakes>) {
    let wakes = Arc::new(Wakes::default());
    (Waker::from(Arc::clone(&wakes)), wakes)
}

/// Makes a waker that runs a closure, on whichever thread wakes.
pub fn waker_fn(wake: impl Fn() + Send + Sync + 'static) -> Waker {
    struct Call<F>(F);
    impl<F: Fn() + Send + Sync> Wake for Call<F> {
        fn wake(self: Arc<Self>) {
            (self.0)();
        }
    }
    Waker::from(Arc::new(Call(wake)))
}

impl Browser {
    /// Makes an event loop whose wakes are counted.
    pub fn counted_event_loop(&self) -> (EventLoop, Arc<Wakes>) {
        let (waker, wakes) = counting_waker();
        (self.service.event_loop(waker), wakes)
    }
}
