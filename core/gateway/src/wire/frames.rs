//! A stream of bytes cut into frames, and one put together.

use super::fields::LENGTH_BYTES;
use super::lie::{Lie, Lied};
use crate::bounds::Bounds;
use bytes::{Buf, Bytes};
use std::collections::VecDeque;

/// Bytes that came and are not yet read, cut into frames. Memory grows with the bytes that came, whatever lengths
/// they speak of.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    /// How many of them are read.
    read: usize,
    /// A frame longer than [`LONG`] of which not all has come.
    long: Option<LongFrame>,
    /// How many bytes lay before these since the beginning of the connection.
    before: u64,
}

/// A long frame: it is put together where it will stay, so that its message need not be copied again.
#[derive(Debug)]
struct LongFrame {
    bytes: Vec<u8>,
    length: usize,
}

impl LongFrame {
    /// Makes room for bytes that come. Memory grows fourfold as they do, up to the frame's length and no further: what is
    /// in it then stays. Each growth may copy what came before: fourfold that is a third of the frame, twofold all of it.
    fn reserve(&mut self, more: usize) {
        let wanted = self.bytes.len() + more.min(self.missing());
        if wanted > self.bytes.capacity() {
            let capacity = wanted.max(4 * self.bytes.len()).min(self.length);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
    }

    /// Takes as many of these bytes as are its own.
    fn take_from(&mut self, bytes: &mut &[u8]) {
        let (own, rest) = bytes.split_at(bytes.len().min(self.missing()));
        self.reserve(own.len());
        self.bytes.extend_from_slice(own);
        *bytes = rest;
    }

    /// How many bytes are yet to come.
    fn missing(&self) -> usize {
        self.length.saturating_sub(self.bytes.len())
    }
}

/// From this length on, in bytes, a frame has memory of its own.
pub(crate) const LONG: usize = 64 << 10;

/// A frame whose bytes are all there, without its length.
#[derive(Debug)]
pub(crate) enum Frame<'a> {
    Short(&'a [u8]),
    Long(Bytes),
}

impl Frame<'_> {
    /// Returns the frame with memory of its own. Copies a short one.
    pub(crate) fn into_own(self) -> Frame<'static> {
        match self {
            Self::Short(bytes) => Frame::Long(Bytes::copy_from_slice(bytes)),
            Self::Long(bytes) => Frame::Long(bytes),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Short(bytes) => bytes,
            Self::Long(bytes) => bytes,
        }
    }

    /// Returns a part of this frame as bytes that stay: shares a long frame's memory, copies from a short one.
    pub(crate) fn keep(&self, part: &[u8]) -> Bytes {
        match self {
            Self::Short(_) => Bytes::copy_from_slice(part),
            Self::Long(bytes) => bytes.slice_ref(part),
        }
    }
}

impl Incoming {
    /// Keeps bytes that came, for [`next`](Self::next) to read.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        if let Some(long) = &mut self.long {
            long.take_from(&mut bytes);
        }
        self.make_room();
        self.bytes.extend_from_slice(bytes);
    }

    /// Returns the buffer that bytes which come are kept in, with room for some: `least`, or what memory there is for
    /// the rest of a long frame. They are to be appended to it, and no more than there is room for.
    pub(crate) fn room(&mut self, least: usize) -> &mut Vec<u8> {
        if !self.is_partly_long() {
            self.make_room();
            self.bytes.reserve(least);
            return &mut self.bytes;
        }
        let long = self.long.as_mut().expect("there is one");
        if long.bytes.len() == long.bytes.capacity() {
            long.reserve(least);
        }
        &mut long.bytes
    }

    /// Returns the memory of a long frame that is yet to become whole, with room for some of the rest, if one has begun.
    /// Bytes that come are to be appended to it, and no more than there is room for.
    #[cfg(unix)]
    pub(crate) fn room_for_long(&mut self, least: usize) -> Option<&mut Vec<u8>> {
        self.is_partly_long().then(|| self.room(least))
    }

    /// What was read makes room.
    fn make_room(&mut self) {
        if self.read > 0 {
            self.bytes.drain(..self.read);
            self.read = 0;
        }
    }

    /// Returns where the next frame begins, in bytes from the beginning of the connection.
    pub(crate) fn at(&self) -> u64 {
        self.before
    }

    /// Takes the next frame, if all of it has come: of what is kept here, then of `fresh`, from which it takes the bytes
    /// that it read. A frame may be `longest` bytes long after its length. Copies nothing of a frame that lies in
    /// `fresh` whole. What is left of that when there is no next frame should be [kept](Self::push).
    #[inline(always)]
    pub(crate) fn next<'a, 'b: 'a>(
        &'a mut self,
        fresh: &mut &'b [u8],
        longest: usize,
    ) -> Result<Option<Frame<'a>>, Lie> {
        // Most frames lie in `fresh`, one behind the other.
        if let Some((frame, rest)) = self.whole_in(fresh, longest) {
            *fresh = rest;
            self.took(frame);
            return Ok(Some(Frame::Short(frame)));
        }
        self.next_of_any(fresh, longest)
    }

    /// Returns the next frame and what is behind it, if nothing is kept here and all of it lies in `fresh`. It is not taken
    /// by that.
    #[inline(always)]
    pub(crate) fn whole_in<'a>(&self, fresh: &'a [u8], longest: usize) -> Option<(&'a [u8], &'a [u8])> {
        if self.long.is_some() || self.read != self.bytes.len() {
            return None;
        }
        whole(fresh, longest)
    }

    /// Takes note that a frame [was taken](Self::whole_in).
    #[inline(always)]
    pub(crate) fn took(&mut self, frame: &[u8]) {
        self.before += (LENGTH_BYTES + frame.len()) as u64;
    }

    /// Returns the next of the frames that are kept here, if it is whole, without taking it.
    #[inline(always)]
    pub(crate) fn peek(&self) -> Option<&[u8]> {
        if self.long.is_some() {
            return None;
        }
        whole(&self.bytes[self.read..], usize::MAX).map(|(frame, _)| frame)
    }

    /// Takes the frame that was [peeked](Self::peek) at; returns it, or rather a part of it that begins so far from its
    /// end.
    #[inline(always)]
    pub(crate) fn take_peeked(&mut self, length: usize, part: usize) -> &[u8] {
        self.read += LENGTH_BYTES + length;
        self.before += (LENGTH_BYTES + length) as u64;
        &self.bytes[self.read - part..self.read]
    }

    /// Takes the next frame, which does not lie in `fresh` whole.
    #[inline(never)]
    fn next_of_any<'a, 'b: 'a>(
        &'a mut self,
        fresh: &mut &'b [u8],
        longest: usize,
    ) -> Result<Option<Frame<'a>>, Lie> {
        if self.long.is_none() {
            if self.read == self.bytes.len() {
                self.bytes.clear();
                self.read = 0;
                let Some(length) = self.length_of(fresh, longest)? else { return Ok(None) };
                debug_assert!(fresh.len() - LENGTH_BYTES < length, "one that lies there whole was taken");
                if length <= LONG {
                    return Ok(None);
                }
                self.long = Some(LongFrame { bytes: Vec::new(), length });
                *fresh = &fresh[LENGTH_BYTES..];
            } else {
                self.complete(LENGTH_BYTES, fresh);
                let Some(length) = self.length_of(&self.bytes[self.read..], longest)? else {
                    return Ok(None);
                };
                if length > LONG && self.unread() < LENGTH_BYTES + length {
                    let bytes = self.bytes[self.read + LENGTH_BYTES..].to_vec();
                    self.bytes.clear();
                    self.read = 0;
                    self.long = Some(LongFrame { bytes, length });
                } else {
                    let whole = LENGTH_BYTES + length;
                    self.complete(whole, fresh);
                    if self.unread() < whole {
                        return Ok(None);
                    }
                    let start = self.read + LENGTH_BYTES;
                    self.read += whole;
                    self.before += whole as u64;
                    return Ok(Some(Frame::Short(&self.bytes[start..self.read])));
                }
            }
        }
        Ok(self.next_long(fresh).map(Frame::Long))
    }

    /// Puts bytes together with those of a long frame. Returns it once it is whole.
    fn next_long(&mut self, fresh: &mut &[u8]) -> Option<Bytes> {
        let mut long = self.long.take()?;
        long.take_from(fresh);
        if long.missing() > 0 {
            self.long = Some(long);
            return None;
        }
        self.before += (LENGTH_BYTES + long.length) as u64;
        Some(long.bytes.into())
    }

    /// Has so many bytes lie here unread, if `fresh` has what is missing.
    fn complete(&mut self, wanted: usize, fresh: &mut &[u8]) {
        let missing = wanted.saturating_sub(self.bytes.len() - self.read);
        let (taken, rest) = fresh.split_at(missing.min(fresh.len()));
        self.bytes.extend_from_slice(taken);
        *fresh = rest;
    }

    /// Reads the length of the frame that begins here; `None` if it has not come.
    fn length_of(&self, bytes: &[u8], longest: usize) -> Result<Option<usize>, Lie> {
        let Some(length) = bytes.first_chunk() else { return Ok(None) };
        // On 16-bit targets a length that does not fit is longer than any frame may be.
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        if length == 0 || length > longest {
            return Err(Lie::new(Lied::Length, self.before));
        }
        Ok(Some(length))
    }

    /// Returns how many bytes lie here unread.
    pub(crate) fn unread(&self) -> usize {
        self.bytes.len() - self.read + self.long.as_ref().map_or(0, |long| long.bytes.len())
    }

    /// Returns whether a long frame is being put together.
    pub(crate) fn is_partly_long(&self) -> bool {
        self.long.as_ref().is_some_and(|long| long.missing() > 0)
    }

    /// Frees memory that nothing lies in.
    pub(crate) fn trim(&mut self) {
        if self.bytes.len() == self.read {
            *self = Self { long: self.long.take(), before: self.before, ..Self::default() };
        }
    }
}

/// Cuts the frame off that these bytes begin with, if it is whole and no longer than it may be.
#[inline(always)]
fn whole(bytes: &[u8], longest: usize) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    // On 16-bit targets a length that does not fit is longer than what came.
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if length == 0 || length > longest {
        return None;
    }
    rest.split_at_checked(length)
}

/// Bytes that wait to be sent.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
    /// Long payloads that are not copied among the others, and behind how many of these bytes each comes.
    long: VecDeque<(usize, Bytes)>,
    /// The bytes of those.
    long_bytes: usize,
}

impl Outgoing {
    /// Returns the buffer that frames are written to the end of.
    #[inline(always)]
    pub(crate) fn end(&mut self) -> &mut Vec<u8> {
        if self.sent > LONG {
            self.make_room();
        }
        &mut self.bytes
    }

    /// What was sent makes room for more, once it is more than what is left: so each byte is moved once at most, and
    /// none of a long message behind which nothing comes.
    #[cold]
    fn make_room(&mut self) {
        if self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.long.iter_mut().for_each(|(behind, _)| *behind -= self.sent);
            self.sent = 0;
        }
    }

    /// Adds a payload to the end, without copying it.
    pub(crate) fn push_long(&mut self, payload: Bytes) {
        if !payload.is_empty() {
            self.long_bytes += payload.len();
            self.long.push_back((self.bytes.len(), payload));
        }
    }

    /// Returns whether so little waits that more may be added.
    #[inline(always)]
    pub(crate) fn has_room(&self, bounds: &Bounds) -> bool {
        self.len() < bounds.output_bytes.max(1)
    }

    /// Returns how many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.sent + self.long_bytes
    }

    /// Returns what waits, as far as it lies in one piece.
    pub(crate) fn waiting(&self) -> &[u8] {
        match self.pieces() {
            [[], next] => next,
            [first, _] => first,
        }
    }

    /// Returns the next two pieces of what waits, which may be empty.
    pub(crate) fn pieces(&self) -> [&[u8]; 2] {
        match self.long.front() {
            Some((behind, payload)) => [&self.bytes[self.sent..*behind], payload],
            None => [&self.bytes[self.sent..], &[]],
        }
    }

    /// Takes note that the first `count` bytes were sent.
    pub(crate) fn sent(&mut self, mut count: usize) {
        assert!(count <= self.len(), "no more is sent than there is");
        while let Some((behind, payload)) = self.long.front_mut() {
            let first = count.min(*behind - self.sent);
            let next = (count - first).min(payload.len());
            self.sent += first;
            self.long_bytes -= next;
            count -= first + next;
            payload.advance(next);
            if !payload.is_empty() {
                break;
            }
            self.long.pop_front();
        }
        self.sent += count;
        if self.sent == self.bytes.len() && self.long.is_empty() {
            self.bytes.clear();
            self.sent = 0;
        }
    }

    /// Frees memory that nothing lies in.
    pub(crate) fn trim(&mut self) {
        if self.bytes.is_empty() && self.long.is_empty() {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How bytes are handed in.
    #[derive(Clone, Copy, Debug)]
    enum Way {
        /// They are read where they lie.
        Fresh,
        /// They are kept first.
        Kept,
        /// They are read into the buffer that keeps them.
        IntoTheBuffer,
        /// Every other piece is kept.
        Mixed,
    }

    /// The frames' lengths that come of some bytes, cut anywhere.
    fn cut(bytes: &[u8], piece: usize, way: Way) -> Vec<usize> {
        let (mut incoming, mut lengths) = (Incoming::default(), Vec::new());
        for (number, mut fresh) in bytes.chunks(piece).enumerate() {
            if matches!(way, Way::Kept) || matches!(way, Way::Mixed) && number % 2 == 0 {
                incoming.push(std::mem::take(&mut fresh));
            }
            loop {
                if matches!(way, Way::IntoTheBuffer) {
                    let room = incoming.room(1);
                    let some = fresh.len().min(room.capacity() - room.len());
                    room.extend_from_slice(&fresh[..some]);
                    fresh = &fresh[some..];
                }
                let mut rest = if matches!(way, Way::IntoTheBuffer) { &[] } else { fresh };
                while let Some(frame) = incoming.next(&mut rest, usize::MAX).unwrap() {
                    lengths.push(frame.bytes().len());
                    assert!(frame.bytes().iter().all(|byte| usize::from(*byte) == frame.bytes().len() % 251));
                }
                incoming.push(rest);
                if !matches!(way, Way::IntoTheBuffer) || fresh.is_empty() {
                    break;
                }
            }
        }
        assert_eq!((incoming.unread(), incoming.at()), (0, bytes.len() as u64));
        lengths
    }

    #[test]
    fn frames_come_whole_however_they_are_cut() {
        let lengths = [1, 2, 300, LONG, LONG + 1, 3, 3 * LONG, 5, 1];
        let mut bytes = Vec::new();
        for length in lengths {
            bytes.extend_from_slice(&u32::try_from(length).unwrap().to_le_bytes());
            bytes.extend(std::iter::repeat_n((length % 251) as u8, length));
        }
        for piece in [1, 2, 3, 7, 1_000, LONG, LONG + 4, bytes.len()] {
            for way in [Way::Fresh, Way::Kept, Way::IntoTheBuffer, Way::Mixed] {
                assert_eq!(cut(&bytes, piece, way), lengths, "in pieces of {piece}, {way:?}");
            }
        }
    }

    #[test]
    fn memory_grows_with_bytes_and_not_with_what_they_say() {
        let mut incoming = Incoming::default();
        incoming.push(&u32::MAX.to_le_bytes());
        incoming.push(&[0; 100]);
        assert!(incoming.next(&mut &[][..], usize::MAX).unwrap().is_none());
        let long = incoming.long.as_ref().unwrap();
        assert!(long.bytes.capacity() + incoming.bytes.capacity() < 1_000);
        assert_eq!(incoming.unread(), 100);
    }

    #[test]
    fn a_long_frame_takes_memory_by_the_bytes_that_came() {
        let mut long = LongFrame { bytes: Vec::new(), length: 300_000 };
        for mut piece in vec![1; long.length].chunks(7_001) {
            long.take_from(&mut piece);
            assert!(long.bytes.capacity() <= 4 * long.bytes.len() && long.bytes.capacity() <= long.length);
        }
        assert_eq!(long.bytes.len(), long.length);
    }

    #[test]
    fn frames_that_come_whole_are_not_copied() {
        let mut incoming = Incoming::default();
        let bytes = [[3, 0, 0, 0, 7, 7, 7], [3, 0, 0, 0, 8, 8, 8]].concat();
        let mut fresh = &bytes[..];
        for at in [4, 11] {
            let frame = incoming.next(&mut fresh, 10).unwrap().unwrap();
            assert_eq!(frame.bytes().as_ptr_range(), bytes[at..at + 3].as_ptr_range());
        }
        assert!(fresh.is_empty());
        assert_eq!(incoming.bytes.capacity(), 0);
    }

    #[test]
    fn room_for_a_long_frame_grows_with_its_bytes() {
        let mut incoming = Incoming::default();
        incoming.push(&u32::MAX.to_le_bytes());
        incoming.push(&[0; 100]);
        assert!(incoming.next(&mut &[][..], usize::MAX).unwrap().is_none());
        for _ in 0..8 {
            let room = incoming.room(100);
            assert!(room.capacity() > room.len() && room.capacity() <= 4 * room.len().max(100));
            room.resize(room.capacity(), 0);
        }
        assert!(incoming.is_partly_long());
    }

    #[test]
    fn a_length_that_may_not_be_is_a_lie_at_once() {
        for length in [0_u32, 11, u32::MAX] {
            let mut incoming = Incoming::default();
            incoming.push(&length.to_le_bytes());
            assert_eq!(incoming.next(&mut &[][..], 10).unwrap_err(), Lie::new(Lied::Length, 0));
        }
    }

    #[test]
    fn what_waits_is_what_was_not_sent() {
        let mut outgoing = Outgoing::default();
        let all: Vec<u8> = (0..4 * LONG).map(|byte| (byte % 251) as u8).collect();
        outgoing.end().extend_from_slice(&all);
        let mut sent = Vec::new();
        while !outgoing.waiting().is_empty() {
            let some = outgoing.waiting().len().min(10_007);
            sent.extend_from_slice(&outgoing.waiting()[..some]);
            outgoing.sent(some);
        }
        assert!(sent == all);
        outgoing.trim();
        assert_eq!(outgoing.bytes.capacity(), 0);
    }

    #[test]
    fn long_payloads_keep_their_place_among_the_others() {
        let (mut outgoing, mut all) = (Outgoing::default(), Vec::new());
        for number in 0..20_u8 {
            let bytes = vec![number; 1_000 * usize::from(number % 7)];
            all.extend_from_slice(&bytes);
            if number % 3 == 0 {
                outgoing.push_long(Bytes::from(bytes));
            } else {
                outgoing.end().extend_from_slice(&bytes);
            }
        }
        for some in [1, 999, 10_007, all.len()] {
            let (mut outgoing, mut sent) = (
                Outgoing { long: outgoing.long.clone(), bytes: outgoing.bytes.clone(), ..outgoing },
                Vec::new(),
            );
            while outgoing.len() > 0 {
                assert_eq!(outgoing.len(), all.len() - sent.len());
                assert!(!outgoing.waiting().is_empty());
                let pieces = outgoing.pieces().concat();
                assert!(pieces.starts_with(outgoing.waiting()));
                let some = some.min(pieces.len());
                sent.extend_from_slice(&pieces[..some]);
                outgoing.sent(some);
            }
            assert!(sent == all, "{some} at once");
            assert!(outgoing.waiting().is_empty() && outgoing.bytes.is_empty());
        }
    }
}
