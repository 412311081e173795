//! One way: a message after the other on one port, as fast as they go.

use super::{Contender, Question};
use crate::carrier::{
    BlockLimit, Carrier, Core, CrossbeamBounded, CrossbeamUnbounded, End, FlumeUnbounded, LaneAlone,
    RingPerPort, Ringbuf, Rtrb, Sleeper, StdUnbounded, TokioUnbounded, apart,
};
use crate::duo::duo;
use crate::load::{Allocated32, Allocated4096, Load, Slice100, Static32};
use crate::sample::Sample;
use std::hint::spin_loop;

/// Few enough that a sample often fits between two turns of other processes.
const MESSAGES: usize = 32 * 1024;

pub(super) fn questions() -> Vec<Question> {
    vec![
        lane_alone(),
        spinning("one way, 32 static bytes", Static32),
        spinning("one way, 100 bytes slice to slice", Slice100),
        spinning("one way, 32 bytes allocated", Allocated32),
        spinning("one way, 4 KiB allocated", Allocated4096),
        sleeping("one way, may sleep", Static32),
    ]
}

/// The lane beside rings that carry the same, and beside what the hardware allows.
fn lane_alone() -> Question {
    Question {
        name: "lane alone".into(),
        operations: 2 * MESSAGES,
        contenders: vec![
            spin::<LaneAlone, _>(Static32),
            spin::<BlockLimit, _>(Static32),
            spin::<Rtrb, _>(Static32),
            spin::<Ringbuf, _>(Static32),
        ],
    }
}

/// Where the listener never sleeps, everyone is asked without waiting.
fn spinning(name: &str, load: impl Load) -> Question {
    Question {
        name: name.into(),
        operations: MESSAGES,
        contenders: vec![
            spin::<Core, _>(load),
            spin::<RingPerPort, _>(load),
            spin::<Rtrb, _>(load),
            spin::<Ringbuf, _>(load),
            spin::<CrossbeamBounded, _>(load),
            spin::<CrossbeamUnbounded, _>(load),
            spin::<TokioUnbounded, _>(load),
            spin::<StdUnbounded, _>(load),
            spin::<FlumeUnbounded, _>(load),
        ],
    }
}

/// Where the listener may sleep, everyone is asked to wait.
fn sleeping(name: &str, load: impl Load) -> Question {
    Question {
        name: name.into(),
        operations: MESSAGES,
        contenders: vec![
            wait::<Core, _>(load),
            wait::<CrossbeamBounded, _>(load),
            wait::<CrossbeamUnbounded, _>(load),
            wait::<TokioUnbounded, _>(load),
            wait::<StdUnbounded, _>(load),
            wait::<FlumeUnbounded, _>(load),
        ],
    }
}

/// A contender whose listener spins.
pub fn spin<C: Carrier, L: Load>(load: L) -> Contender {
    Contender::new(C::NAME, move |processors, count| {
        let (mut poster, mut listener) = apart::<C>(1);
        duo(processors, count, |count| post(&mut *poster, count, load), |count| take(&mut *listener, count))
    })
}

fn wait<C: Carrier<End: Sleeper>, L: Load>(load: L) -> Contender {
    Contender::new(C::NAME, move |processors, count| {
        let (mut poster, mut listener) = apart::<C>(1);
        let sample = duo(
            processors,
            count,
            |count| post(&mut *poster, count, load),
            |count| (0..count).for_each(|_| listener.wait()),
        );
        Sample { kept_waiting: None, ..sample }
    })
}

fn post(poster: &mut impl End, count: usize, load: impl Load) {
    for _ in 0..count {
        poster.post(0, &load);
    }
}

/// Takes so many messages, spinning.
pub(super) fn take(listener: &mut impl End, count: usize) {
    for _ in 0..count {
        while !listener.take() {
            spin_loop();
        }
    }
}
