//! Every example of a main loop: no wake-up is lost, and an idle loop does not turn.

#[path = "../examples/calloop.rs"]
mod calloop;
#[path = "../examples/mio.rs"]
mod mio;
#[path = "../examples/plain_thread.rs"]
mod plain_thread;
#[path = "../examples/tokio.rs"]
mod tokio;
#[path = "../examples/winit_proxy.rs"]
mod winit_proxy;

use port_core_main_loops::{MainLoop, beside_an_echo};
use std::hint::spin_loop;
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const ROUNDS: usize = 100_000;

/// Runs a test on a thread of its own: a wake-up that is lost leaves it asleep, which is no way for a test to fail.
fn ends(test: impl FnOnce() + Send + 'static) {
    // One at a time: they would only take each other's processors.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (done, is_done) = mpsc::channel();
    let test = thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    match is_done.recv_timeout(Duration::from_secs(900)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("asleep for ever: a wake-up was lost"),
        _ => test.join().unwrap(),
    }
}

/// Two threads answer each other; between answers they are now asleep, now about to sleep, now awake.
fn no_wake_up_is_lost(main_loop: MainLoop) {
    ends(move || {
        let mut dice = 1_u32;
        let pause = || {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Up to some microseconds, which is how long falling asleep takes.
            (0..dice >> 20).for_each(|_| spin_loop());
        };
        let answers = beside_an_echo(main_loop, |scene, _| scene.run_rounds(main_loop, ROUNDS, pause));
        assert_eq!(answers.unwrap(), ROUNDS);
    });
}

/// A loop that nothing comes for does not turn.
fn an_idle_loop_does_not_turn(main_loop: MainLoop) {
    ends(move || {
        let mut turned = Vec::new();
        let answers = beside_an_echo(main_loop, |scene, turns| {
            // It answered the first message; now nothing comes. The turn that answered may end in the first second.
            let idle_seconds = || {
                for _ in 0..3 {
                    let before = turns.load(Relaxed);
                    thread::sleep(Duration::from_secs(1));
                    turned.push(turns.load(Relaxed) - before);
                    if turned.ends_with(&[0]) {
                        return;
                    }
                }
            };
            let answers = scene.run_rounds(main_loop, 2, idle_seconds);
            assert!(turns.load(Relaxed) > 0, "it turns when something comes");
            answers
        });
        assert_eq!(answers.unwrap(), 2);
        assert!(turned.ends_with(&[0]), "turns in each second: {turned:?}");
    });
}

macro_rules! main_loops {
    ($($name:ident),+) => {
        $(
            mod $name {
                #[test]
                fn no_wake_up_is_lost() {
                    super::no_wake_up_is_lost(super::super::$name::run);
                }

                #[test]
                fn an_idle_loop_does_not_turn() {
                    super::an_idle_loop_does_not_turn(super::super::$name::run);
                }
            }
        )+
    };
}

mod every {
    use super::{an_idle_loop_does_not_turn, no_wake_up_is_lost};

    main_loops!(calloop, mio, plain_thread, tokio, winit_proxy);
}
