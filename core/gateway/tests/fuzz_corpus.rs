//! What the fuzzers found worth keeping, and random bytes, without a fuzzer.

#[path = "../../tests/common/dice.rs"]
#[allow(dead_code, unreachable_pub, reason = "not all of it is needed here")]
mod dice;
mod fuzzed;

use dice::Dice;
use std::path::Path;

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
    let (mut frames, mut forged, mut lies) = (0, 0, 0);
    for bytes in corpus("host").into_iter().chain((0..seeds()).map(random_bytes)) {
        let ran = fuzzed::host(&bytes);
        frames += ran.frames;
        forged += ran.forged;
        lies += ran.lies;
    }
    assert!(
        lies > 0 && forged > lies && frames > 10 * forged,
        "{frames} frames, {forged} forged, {lies} lies"
    );
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
