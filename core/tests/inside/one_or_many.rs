//! A list of none, one and several.

use super::*;

#[test]
fn keeps_order_whatever_the_number() {
    for count in 0..5 {
        let mut list: OneOrMany<u32> = (0..count).collect();
        assert_eq!(*list, *(0..count).collect::<Vec<_>>());
        list.retain(|item| item % 2 == 1);
        assert_eq!(*list, *(0..count).filter(|item| item % 2 == 1).collect::<Vec<_>>());
        list.push(9);
        assert_eq!(list.last(), Some(&9));
    }
}
