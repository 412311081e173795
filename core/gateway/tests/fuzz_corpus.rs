//! What the fuzzers found worth keeping, and random bytes, without a fuzzer.

#[path = "../../tests/common/dice.rs"]
#[allow(dead_code, unreachable_pub, reason = "not all of it is needed here")]
mod dice;
mod fuzzed;

use dice::Dice;
use std::num::NonZero;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

/// How many random scripts; `SEEDS` in the environment asks for more.
fn seeds() -> u64 {
    std::env::var("SEEDS").map_or(200, |seeds| seeds.parse().expect("a number"))
}

fn random_bytes(seed: u64) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    let length = 100 + dice.below(6_000);
    (0..length).map(|_| dice.below(256) as u8).collect()
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(!files.is_empty(), "the corpus is not where it was");
    files
}

#[test]
fn a_host_takes_anything() {
    let mut all = fuzzed::Ran::default();
    for bytes in corpus("host").into_iter().chain((0..seeds()).map(random_bytes)) {
        all.add(&fuzzed::host(&bytes));
    }
    let fuzzed::Ran { frames, forged, lies, .. } = all;
    assert!(lies > 0 && forged > lies && frames > 10 * forged, "{all:?}");
}

/// How many frames long conversations have in all; `FRAMES` in the environment asks for more.
const FRAMES: usize = 16_000;

/// How many frames each of them has.
const CONVERSATION: usize = 8_000;

/// Connections of thousands of frames, most of them honest, some ended by a lie. On all processors at once: conversations
/// have nothing in common, and which there are depends on the number of frames alone.
#[test]
fn a_host_takes_long_conversations() {
    let asked = std::env::var("FRAMES").map_or(FRAMES, |frames| frames.parse().expect("a number"));
    let seeds = Mutex::new(0..asked.div_ceil(CONVERSATION) as u64);
    let converse = || {
        let mut all = fuzzed::Ran::default();
        loop {
            let seed = seeds.lock().unwrap().next();
            let Some(seed) = seed else { return all };
            let mut dice = Dice::new(seed);
            let script = || (0..10_000).map(|_| dice.below(256) as u8).collect();
            all.add(&fuzzed::long_conversation(script, CONVERSATION));
        }
    };
    let mut all = fuzzed::Ran::default();
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(converse)).collect();
        threads.into_iter().for_each(|thread| all.add(&thread.join().expect("no lie is overlooked")));
    });
    println!("{all:?}");
    assert!(all.frames >= asked, "{all:?}");
    assert!(2 * all.long >= all.connections, "half of them past {} frames: {all:?}", fuzzed::LONG);
}

#[test]
fn a_stub_takes_anything() {
    let heard: usize = corpus("stub")
        .into_iter()
        .chain((0..seeds()).map(random_bytes))
        .map(|bytes| fuzzed::stub(&bytes))
        .sum();
    assert!(heard > 1_000, "{heard} events");
}
