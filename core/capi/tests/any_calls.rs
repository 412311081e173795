//! Calls of the C interface that random bytes are, and those that the fuzzer found worth keeping.

mod random_calls;

use random_calls::Done;

/// A generator that is good enough for bytes.
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let roll = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Some(state.to_le_bytes()[3])
    };
    std::iter::from_fn(roll).take(600).collect()
}

/// Makes the calls, of which many must reach something.
fn check(inputs: impl Iterator<Item = Vec<u8>>, least: Done) {
    let mut all = Done::default();
    for input in inputs {
        let done = random_calls::calls(&input);
        all.calls += done.calls;
        all.events += done.events;
    }
    assert!(all.calls >= least.calls && all.events >= least.events, "{all:?}");
}

#[test]
fn random_bytes_are_answered() {
    check((0..2_000).map(bytes), Done { calls: 20_000, events: 2_000 });
}

#[test]
fn what_a_fuzzer_found_worth_keeping_is_answered() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/c_interface");
    let inputs =
        std::fs::read_dir(corpus).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    check(inputs, Done { calls: 500, events: 100 });
}
