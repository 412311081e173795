//! Copies of every short length.

use super::*;

#[test]
fn every_length_is_copied_and_no_more() {
    let from: Vec<u8> = (1..=64).collect();
    for length in 0..=from.len() {
        let mut to = [MaybeUninit::new(0); 65];
        copy_short(&from[..length], &mut to);
        // SAFETY: all of it was initialised above.
        let to = unsafe { to.assume_init_ref() };
        assert_eq!(&to[..length], &from[..length]);
        assert!(to[length..].iter().all(|byte| *byte == 0));
    }
}
