//! A script: numbers, of which the first two set the scene and every other one is an
//! operation. Any numbers are a script, so it may come from anywhere.

/// A number to draw choices from, a byte each. Drawn empty it gives the first choice.
#[derive(Clone, Copy)]
pub struct Draw(u64);

impl Draw {
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// A number below `bound`, which is at most 256.
    pub fn below(&mut self, bound: usize) -> usize {
        let byte = (self.0 & 0xFF) as usize;
        self.0 >>= 8;
        byte % bound
    }

    /// One of several, if there is any, sooner one of the last.
    pub fn recent<T: Copy>(&mut self, from: &[T], most: usize) -> Option<T> {
        let back = self.below(from.len().clamp(1, most));
        from.iter().rev().nth(back).copied()
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let at = self.below(from.len().clamp(1, 256));
        from.get(at).copied()
    }

    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }
}

/// The script of a seed: what gives the numbers is the caller's.
pub fn script_of_seed(mut roll: impl FnMut() -> u64, operations: usize) -> Vec<u64> {
    let mut script: Vec<u64> = (0..2 + operations).map(|_| roll()).collect();
    // Somebody is to be there to begin with.
    script[2..6].iter_mut().for_each(|number| *number &= !0xFF);
    script
}

/// The script that any bytes are.
pub fn script_of_bytes(bytes: &[u8]) -> Vec<u64> {
    let number = |chunk: &[u8]| {
        let mut number = [0; 8];
        number[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(number)
    };
    bytes.chunks(8).map(number).collect()
}

/// What an operation does.
#[derive(Clone, Copy, Debug)]
pub enum Do {
    Attach,
    ConnectTab,
    ConnectRuntime,
    Post,
    Disconnect,
    Detach,
    Listen,
    Navigate,
    Cache,
    Restore,
    Evict,
    AddFrame,
    RemoveFrame,
    ChangeTab,
    Reload,
    DeclareGone,
    DropLoop,
    NewLoop,
    RefusedFact,
    Stranger,
    Snapshot,
    Take,
}

/// The usual mixture.
const USUAL: [Do; 48] = {
    use Do::*;
    [
        Attach,
        Attach,
        ConnectTab,
        ConnectTab,
        ConnectTab,
        ConnectTab,
        ConnectTab,
        ConnectTab,
        ConnectRuntime,
        ConnectRuntime,
        ConnectRuntime,
        ConnectRuntime,
        Post,
        Post,
        Post,
        Post,
        Post,
        Post,
        Post,
        Post,
        Post,
        Post,
        Disconnect,
        Disconnect,
        Disconnect,
        Disconnect,
        Detach,
        Listen,
        Listen,
        Navigate,
        Take,
        Take,
        Take,
        Take,
        Take,
        Take,
        Take,
        Take,
        Take,
        Take,
        Take,
        Take,
        Take,
        Take,
        Take,
        Take,
        Snapshot,
        Stranger,
    ]
};

/// What there is more of, each in some scripts.
const THEMES: [&[Do]; 6] = {
    use Do::*;
    [
        &[Take, Post],
        &[Cache, Cache, Restore, Restore, Evict, Post, Take, AddFrame, Navigate],
        &[Post, Post, Post, Snapshot],
        &[Navigate, AddFrame, RemoveFrame, ChangeTab, ChangeTab, Attach, RefusedFact, ConnectTab],
        &[DeclareGone, DropLoop, DropLoop, NewLoop, Attach, Attach, Take],
        &[Reload, Attach, ConnectRuntime, ConnectRuntime, Listen, Take],
    ]
};

impl Do {
    pub fn draw(draw: &mut Draw, theme: usize) -> Self {
        let byte = draw.below(256);
        let theme = THEMES[theme % THEMES.len()];
        if byte < 192 { USUAL[byte % USUAL.len()] } else { theme[byte % theme.len()] }
    }
}
