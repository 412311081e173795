//! A failing script made short: numbers are left out, then made simple, while it still fails.

use super::script::SCENE;

/// The shortest script found that `fails`, as this one does.
pub fn shrink(mut script: Vec<u64>, fails: impl Fn(&[u64]) -> bool) -> Vec<u64> {
    loop {
        let before = script.clone();
        // In halves, quarters and so on, from the end.
        let mut length = script.len().next_power_of_two();
        while length > 0 {
            let mut from = script.len();
            while from > SCENE {
                from = from.saturating_sub(length).max(SCENE);
                let to = (from + length).min(script.len());
                let mut shorter = script.clone();
                shorter.drain(from..to);
                if fails(&shorter) {
                    script = shorter;
                }
            }
            length /= 2;
        }
        for at in 0..script.len() {
            for byte in 0..8 {
                let mut simpler = script.clone();
                simpler[at] &= !(0xFF << (8 * byte));
                if simpler[at] != script[at] && fails(&simpler) {
                    script = simpler;
                }
            }
        }
        if script == before {
            return script;
        }
    }
}

#[test]
fn what_does_not_matter_is_left_out() {
    let script: Vec<u64> = (0..40).map(|number| 0x0101 * number).collect();
    let fails = |script: &[u64]| {
        script[SCENE..].iter().any(|number| number & 0xFF == 7)
            && script[SCENE..].iter().filter(|number| **number >= 0x0800).count() >= 2
    };
    let short = shrink(script, fails);
    assert_eq!(short.len(), SCENE + 3, "{short:x?}");
    assert!(fails(&short));
}
