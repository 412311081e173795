//! A script: numbers, of which the first three set the scene and every other one is an
//! operation. Any numbers are a script, so it may come from anywhere.

/// A number to draw choices from, a byte each. Drawn empty it gives the first choice.
#[derive(Clone, Copy)]
pub struct Draw {
    rest: u64,
    drawn: u32,
}

impl Draw {
    pub fn new(number: u64) -> Self {
        Self { rest: number, drawn: 0 }
    }

    /// A number below `bound`, which is at most 256.
    pub fn below(&mut self, bound: usize) -> usize {
        let byte = (self.rest & 0xFF) as usize;
        self.rest >>= 8;
        self.drawn += 1;
        byte % bound
    }

    /// Whether more was drawn than a number has bytes: what came last was always the first choice.
    pub fn is_overdrawn(&self) -> bool {
        self.drawn > u64::BITS / 8
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

/// Numbers that set the scene.
pub const SCENE: usize = 3;

/// The script of a seed: what gives the numbers is the caller's.
pub fn script_of_seed(mut roll: impl FnMut() -> u64, operations: usize) -> Vec<u64> {
    let mut script: Vec<u64> = (0..SCENE + operations).map(|_| roll()).collect();
    // Somebody is to be there to begin with.
    script[SCENE..SCENE + 4].iter_mut().for_each(|number| *number &= !0xFF);
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
    Decide,
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
    StartWanted,
    Ready,
    GiveUp,
    Stop,
    WhyAwake,
    Take,
    TakeFew,
}

/// So much of each.
pub type Mixture = &'static [(usize, Do)];

const USUAL: Mixture = {
    use Do::*;
    &[
        (2, Attach),
        (6, ConnectTab),
        (4, ConnectRuntime),
        (10, Post),
        (4, Disconnect),
        (3, Decide),
        (1, Detach),
        (2, Listen),
        (1, Navigate),
        (10, Take),
        (6, TakeFew),
        (1, Snapshot),
        (1, Stranger),
    ]
};

/// What there is more of, each in some scripts.
pub const THEMES: [Mixture; 8] = {
    use Do::*;
    [
        &[(2, Take), (1, TakeFew), (1, Post)],
        &[(2, Cache), (2, Restore), (1, Evict), (3, Post), (2, Take), (1, Navigate), (1, AddFrame)],
        &[(2, Cache), (2, Restore), (6, Post), (4, Take)],
        &[(3, Post), (2, TakeFew), (1, ConnectTab), (1, Disconnect), (1, Snapshot)],
        &[
            (1, Navigate),
            (1, AddFrame),
            (1, RemoveFrame),
            (2, ChangeTab),
            (1, Attach),
            (1, RefusedFact),
            (1, ConnectTab),
        ],
        &[(1, DeclareGone), (3, DropLoop), (1, NewLoop), (3, Attach), (2, ConnectTab), (2, Post), (1, Take)],
        &[(1, Reload), (1, Attach), (2, ConnectRuntime), (1, Listen), (1, Take)],
        &[
            (4, StartWanted),
            (2, Ready),
            (3, Stop),
            (1, GiveUp),
            (5, ConnectRuntime),
            (3, Post),
            (1, Disconnect),
            (2, WhyAwake),
            (1, Reload),
            (1, Cache),
            (1, Restore),
            (1, DropLoop),
            (1, NewLoop),
            (2, Attach),
            (3, Take),
            (1, TakeFew),
        ],
    ]
};

/// The one where backgrounds are started on demand.
pub const DORMANT: usize = 7;

impl Do {
    pub fn draw(draw: &mut Draw, theme: usize) -> Self {
        let byte = draw.below(256);
        let mixture = if byte < 160 { USUAL } else { THEMES[theme % THEMES.len()] };
        let all: usize = mixture.iter().map(|(weight, _)| weight).sum();
        let mut at = byte % all;
        for &(weight, what) in mixture {
            match at.checked_sub(weight) {
                Some(behind) => at = behind,
                None => return what,
            }
        }
        unreachable!("the weights were added up")
    }
}
