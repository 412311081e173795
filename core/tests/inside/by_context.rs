use super::*;

fn channel(index: u32) -> Channel {
    Channel(Key::new(index, 0))
}

#[test]
fn a_context_has_its_own_channels_whatever_comes_and_goes() {
    let (mut lists, contexts) = (ByContext::default(), [3, 0, 700].map(|index| Key::new(index, 9)));
    let mut held = [const { Vec::new() }; 3];
    assert_eq!(lists.of(contexts[2]).count(), 0);
    let mut number = 1_u32;
    for _ in 0..if cfg!(miri) { 300 } else { 10_000 } {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (at, index) = ((number >> 16) as usize % 3, (number >> 20) % 64);
        let holder = held.iter().position(|list| list.contains(&index));
        match holder {
            Some(holder) => {
                held[holder].retain(|held| *held != index);
                lists.remove(contexts[holder], channel(index));
            }
            None => {
                held[at].push(index);
                lists.insert(contexts[at], channel(index));
            }
        }
        for (context, held) in contexts.iter().zip(&held) {
            let listed: Vec<_> = lists.of(*context).collect();
            assert!(listed.iter().eq(held), "{listed:?}, and not {held:?}");
        }
    }
    assert!(held.iter().any(|list| list.len() > 3));
}

#[test]
fn a_channel_takes_eight_bytes() {
    assert_eq!(size_of::<Link>(), 8);
}
