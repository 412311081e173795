//! Events as a stream: it gives all that the loop hands out, sleeps, and starves nobody.

mod common;

use common::*;
use futures_core::Stream;
use port_core::{Event, EventLoop};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

async fn next(event_loop: &mut EventLoop) -> Event {
    let mut events = pin!(event_loop.events());
    poll_fn(|context| events.as_mut().poll_next(context)).await.expect("it never ends")
}

/// A task of the executor, and whether it was woken since its last turn.
struct Task<'a> {
    future: Pin<Box<dyn Future<Output = ()> + 'a>>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool, Thread);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
        self.1.unpark();
    }
}

/// Runs tasks in turn, each only when it was woken, until all are done.
fn run(futures: Vec<Pin<Box<dyn Future<Output = ()> + '_>>>) {
    let woken = || Arc::new(Woken(AtomicBool::new(true), thread::current()));
    let mut tasks: Vec<_> = futures.into_iter().map(|future| Task { future, woken: woken() }).collect();
    while !tasks.is_empty() {
        let mut idle = true;
        tasks.retain_mut(|task| {
            if !task.woken.0.swap(false, SeqCst) {
                return true;
            }
            idle = false;
            let waker = Waker::from(Arc::clone(&task.woken));
            task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
        });
        if idle {
            thread::park();
        }
    }
}

/// Lets the other tasks have their turns.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[test]
fn a_loop_that_posts_to_itself_starves_no_other_task() {
    const MESSAGES: usize = 10_000;
    let browser = Browser::new();
    let mut only = browser.event_loop();
    let script = browser.content_script(&mut only, browser.tab());
    browser.background(&mut only);
    let port = connect_runtime(&mut only, script, "").unwrap();
    only.post_message(port, "again").unwrap();
    let (heard, turns) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (heard, turns) = (&heard, &turns);
    let flood = async move {
        while heard.load(SeqCst) < MESSAGES {
            if matches!(next(&mut only).await, Event::Message { .. }) {
                heard.fetch_add(1, SeqCst);
                only.post_message(port, "again").unwrap();
            }
        }
    };
    let other = async move {
        let mut before = 0;
        while heard.load(SeqCst) < MESSAGES {
            turns.fetch_add(1, SeqCst);
            let now = heard.load(SeqCst);
            assert!(now - before <= 64, "{} messages in one turn", now - before);
            before = now;
            yield_now().await;
        }
    };
    run(vec![Box::pin(flood), Box::pin(other)]);
    assert!(turns.load(SeqCst) >= MESSAGES / 64, "{} turns", turns.load(SeqCst));
}

#[test]
fn a_stream_sleeps_until_there_is_something_and_misses_nothing() {
    const ROUNDS: usize = 2_000;
    let browser = Browser::new();
    let Apart { mut here, opener, mut there, place, .. } = browser.apart();
    let (port, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
    // Ping-pong between two threads, each with an executor: one lost wake-up hangs the test.
    let echo = thread::spawn(move || {
        run(vec![Box::pin(async move {
            for _ in 0..ROUNDS {
                let Event::Message { payload, .. } = next(&mut there).await else { panic!() };
                there.post_message(received, &payload).unwrap();
            }
        })]);
    });
    run(vec![Box::pin(async move {
        for round in 0..ROUNDS {
            here.post_message(port, round.to_string()).unwrap();
            let Event::Message { payload, .. } = next(&mut here).await else { panic!() };
            assert_eq!(*payload, *round.to_string().as_bytes());
        }
    })]);
    echo.join().unwrap();
}

#[test]
fn a_stream_that_is_dropped_loses_nothing() {
    let browser = Browser::new();
    let Apart { mut here, opener, mut there, place, .. } = browser.apart();
    let (port, _) = browser.open_port(&mut here, opener, &mut there, place.tab);
    let mut context = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut there.events()).poll_next(&mut context).is_pending());
    for number in 0..200 {
        here.post_message(port, number.to_string()).unwrap();
    }
    let mut heard = Vec::new();
    let mut yields = 0;
    while heard.len() < 200 {
        match Pin::new(&mut there.events()).poll_next(&mut context) {
            Poll::Ready(event) => heard.extend(event.as_ref().map(Heard::from)),
            Poll::Pending => yields += 1,
        }
    }
    assert_eq!(heard, (0..200).map(|number| message(number.to_string())).collect::<Vec<_>>());
    assert_eq!(yields, 3, "after each 64");
}
