//! Several ports in few bytes: those that accepted one connection have numbers in a row.

use super::fields::{Reader, Writer};
use super::lie::Lied;
use super::number::PortNumber;

/// The numbers of several ports that a renderer accepted, in rows without gaps, as they go over the wire: the first
/// number of each row, and how many there are in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRuns<'a>(&'a [u8]);

/// From one number to the next in a row.
const STEP: u64 = 2;

/// A row's first number, and how many there are, in bytes.
const RUN_BYTES: usize = 8 + 4;

impl PortRuns<'_> {
    /// How many rows one frame has at most.
    pub(crate) const MOST: usize = 32;

    /// Makes the rows of ports whose numbers are odd and grow, for [`in_frames`](Self::in_frames). Allocates.
    #[must_use]
    pub fn to_bytes(ports: &[PortNumber]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(RUN_BYTES);
        for run in ports.chunk_by(|one, next| next.to_bits() == one.to_bits() + STEP) {
            let count = u32::try_from(run.len()).expect("a process has fewer ports");
            bytes.extend_from_slice(&run[0].to_bits().to_le_bytes());
            bytes.extend_from_slice(&count.to_le_bytes());
        }
        bytes
    }

    /// Returns the ports, in order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = PortNumber> {
        self.runs()
            .flat_map(|(first, count)| (0..count).map(move |nth| PortNumber::from_bits(first + nth * STEP)))
    }

    /// Returns each row's first number, and how many there are.
    fn runs(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.chunks_exact(RUN_BYTES).map(|run| {
            let (first, count) = run.split_at(8);
            let first = u64::from_le_bytes(first.try_into().expect("eight bytes"));
            (first, u32::from_le_bytes(count.try_into().expect("four bytes")).into())
        })
    }

    /// Returns the greatest number.
    pub(crate) fn last(&self) -> PortNumber {
        let last = self.runs().last().map_or(0, |(first, count)| first + (count - 1) * STEP);
        PortNumber::from_bits(last)
    }
}

impl<'a> PortRuns<'a> {
    /// Shares rows that [`to_bytes`](Self::to_bytes) made out to as few frames as hold them.
    pub fn in_frames(bytes: &'a [u8]) -> impl Iterator<Item = Self> {
        bytes.chunks(Self::MOST * RUN_BYTES).map(Self)
    }

    pub(super) fn write(self, to: &mut Writer<'_>) {
        to.u8((self.0.len() / RUN_BYTES) as u8).rest(self.0);
    }

    /// Reads rows: there is one at least, each has a port at least, and they are as long as they can be, in order.
    pub(super) fn read(from: &mut Reader<'a>) -> Result<Self, Lied> {
        let count = usize::from(from.u8()?);
        if count == 0 || count > Self::MOST {
            return Err(Lied::Value);
        }
        let runs = Self(from.bytes(count * RUN_BYTES)?);
        let mut after = 0;
        for (first, count) in runs.runs() {
            if count == 0 || first % STEP != 1 || after > 0 && first <= after {
                return Err(Lied::Value);
            }
            after = first.checked_add(count * STEP).ok_or(Lied::Value)?;
        }
        Ok(runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ports: &[u64]) -> Vec<Vec<u64>> {
        let ports: Vec<_> = ports.iter().copied().map(PortNumber::from_bits).collect();
        let frames = PortRuns::to_bytes(&ports);
        let read = |runs: PortRuns<'_>| {
            let mut bytes = Vec::new();
            runs.write(&mut Writer::new(&mut bytes));
            let read = PortRuns::read(&mut Reader::new(&bytes[4..])).unwrap();
            assert_eq!((read, read.iter().last()), (runs, Some(runs.last())));
            read.iter().map(PortNumber::to_bits).collect()
        };
        PortRuns::in_frames(&frames).map(read).collect()
    }

    #[test]
    fn ports_are_read_as_they_were_written() {
        for ports in [&[1][..], &[1, 3], &[1, 5], &[7, 9, 11, 101, 105, 107]] {
            assert_eq!(read(ports), [ports]);
        }
        // More rows than a frame holds.
        let ports: Vec<_> = (0..100).map(|nth| 4 * nth + 1).collect();
        assert_eq!(read(&ports).iter().map(Vec::len).collect::<Vec<_>>(), [32, 32, 32, 4]);
        assert_eq!(read(&ports).concat(), ports);
    }

    #[test]
    fn ports_in_a_row_take_no_more_bytes_than_two() {
        let ports: Vec<_> = (0..1_000).map(|nth| PortNumber::from_bits(2 * nth + 1)).collect();
        assert_eq!(PortRuns::to_bytes(&ports).len(), RUN_BYTES);
    }

    #[test]
    fn there_is_one_way_to_write_ports() {
        let run = |first: u64, count: u32| [&first.to_le_bytes()[..], &count.to_le_bytes()].concat();
        let cases = [
            (0, vec![], Lied::Value),
            (33, vec![], Lied::Value),
            (1, vec![], Lied::Short),
            (1, run(1, 0), Lied::Value),
            (1, run(2, 1), Lied::Value),
            (1, run(u64::MAX, 1), Lied::Value),
            // Two that are one, that overlap, and that are out of order.
            (2, [run(1, 2), run(5, 1)].concat(), Lied::Value),
            (2, [run(1, 2), run(3, 1)].concat(), Lied::Value),
            (2, [run(9, 1), run(1, 1)].concat(), Lied::Value),
        ];
        for (count, runs, lied) in cases {
            let bytes = [&[count][..], &runs].concat();
            assert_eq!(PortRuns::read(&mut Reader::new(&bytes)).unwrap_err(), lied, "{bytes:?}");
        }
    }
}
