//! What an extension that floods costs another one on the same two threads: a round trip between a background and a
//! content script, each on an event loop of its own, alone and while the other extension's do their worst there.
//!
//! Quiet samples and attacked ones take turns in one run, and a round's attacked sample is compared with its quiet one.
//! Prints a table for `docs/performance.md`. Exits with failure if a 99th percentile under an attack is more than four
//! times the quiet one, or could not be measured.
//!
//! Two rows are shown and not judged: a flood that runs for as long as the other thread takes it, which goes through all
//! of a processor's cache before the word, and a script that does so without any message.

use port_core::{ContextId, Event, EventLoop, PortId, TabTarget};
use port_core_bench::browser::{Browser, background_of, connected, content_script_of, limits};
use port_core_bench::report::{figure, machine};
use port_core_bench::sample::{Sample, Spread};
use port_core_bench::topology::Processors;
use port_core_bench::two_threads::{p99, two_threads};
use std::hint::{black_box, spin_loop};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How many samples are taken of each attack.
const ROUNDS: usize = 11;
/// How often a sample is taken that turns out to be no good.
const ATTEMPTS: usize = 8;
/// Rounds without which an attack is not judged.
const LEAST: usize = 3;
/// By how much the 99th percentile may grow.
const LIMIT: f64 = 4.0;
/// How long a trip may take, and with it everything that spins.
const STALL: Duration = Duration::from_secs(10);
/// When no more samples are begun.
const LONG: Duration = Duration::from_secs(120);
/// When the program gives up as a whole, whatever it waits for.
const LONGEST: Duration = Duration::from_secs(300);
/// Records that a lane holds in the attack that fills it.
const LANE_RECORDS: u64 = 16_384;
/// Cache lines that each of them takes: one for the record, and two for its message.
const LINES: usize = 3;
const LINE: usize = 64;

static FLOOD: [u8; 100] = [9; 100];
static WORD: [u8; 32] = [7; 32];

/// What the other extension's scripts do on either thread before each word of the honest one's.
#[derive(Clone, Copy)]
enum Attack {
    /// So many messages, on both threads.
    Messages(u32),
    /// So many connections that end at once, from the background.
    Connects(u32),
    /// Messages on both threads until they are refused.
    Full,
    /// The same from the background, while the content script's thread already takes them: it may go on for a long time.
    Chase,
    /// No message: a script on each thread that writes to so many bytes.
    Memory(usize),
}

impl Attack {
    const ALL: [Self; 6] = [
        Self::Messages(16),
        Self::Messages(64),
        Self::Connects(8),
        Self::Full,
        Self::Chase,
        Self::Memory(LANE_RECORDS as usize * LINES * LINE),
    ];

    fn name(self) -> String {
        match self {
            Self::Messages(count) => format!("{count} messages each way a trip"),
            Self::Connects(count) => format!("{count} connections that end at once a trip"),
            Self::Full => format!("lanes of {} records kept full", figure(LANE_RECORDS as f64)),
            Self::Chase => "a lane filled while it is emptied".into(),
            Self::Memory(bytes) => format!("*limit: no message, {} MiB written to*", bytes >> 20),
        }
    }

    /// Whether its 99th percentile may not grow beyond the limit.
    fn is_judged(self) -> bool {
        !matches!(self, Self::Chase | Self::Memory(_))
    }

    fn trips(self) -> usize {
        match self {
            Self::Messages(_) | Self::Connects(_) | Self::Full => 2_048,
            Self::Chase | Self::Memory(_) => 512,
        }
    }
}

/// One thread: an event loop, and on it a context of each of the two extensions.
struct Side {
    event_loop: EventLoop,
    honest: PortId,
    flood: PortId,
    flooder: ContextId,
    target: TabTarget,
    memory: Vec<u8>,
}

/// Both sides, with all ports open and nothing left to hear.
fn sides() -> [Side; 2] {
    let browser = Browser::with_limits(limits(|limits| limits.lane_records = LANE_RECORDS));
    let extensions = [browser.extension, browser.load("flooder@example")];
    let (mut here, mut there, place) = (browser.event_loop(), browser.event_loop(), browser.tab());
    let target = TabTarget::new(place.tab);
    let backgrounds = extensions.map(|extension| background_of(extension, &mut here));
    let scripts = extensions.map(|extension| content_script_of(extension, &mut there, place));
    let ports = backgrounds.map(|background| {
        let port = here.connect_tab(background, &target).expect("there is room for a port");
        (port, connected(&mut there)[0])
    });
    while here.next_event().is_some() {}
    let [(honest, heard), (flood, flooded)] = ports;
    let side = |event_loop, honest, flood, flooder| Side {
        event_loop,
        honest,
        flood,
        flooder,
        target: target.clone(),
        memory: Vec::new(),
    };
    [side(here, honest, flood, backgrounds[1]), side(there, heard, flooded, scripts[1])]
}

impl Side {
    fn attack(&mut self, attack: Option<Attack>, opens: bool) {
        // What is refused is the flooder's loss.
        let post = |side: &mut Self| side.event_loop.post_message(side.flood, &FLOOD).is_ok();
        match attack {
            Some(Attack::Messages(count)) => {
                for _ in 0..count {
                    post(self);
                }
            }
            Some(Attack::Connects(count)) if opens => {
                for _ in 0..count {
                    if let Ok(port) = self.event_loop.connect_tab(self.flooder, &self.target) {
                        self.event_loop.disconnect(port);
                    }
                }
            }
            // The peer takes meanwhile, so it might go on for ever.
            Some(Attack::Full | Attack::Chase) => {
                let _ = (0..2 * LANE_RECORDS).find(|_| !post(self));
            }
            Some(Attack::Memory(bytes)) => {
                self.memory.resize(bytes, 0);
                for byte in self.memory.iter_mut().step_by(LINE) {
                    *byte = byte.wrapping_add(1);
                }
                black_box(&self.memory);
            }
            Some(Attack::Connects(_)) | None => {}
        }
    }

    /// Posts the honest extension's word. Returns whether it was taken in time.
    fn speak(&mut self, over: &AtomicBool) -> bool {
        patiently(over, || self.event_loop.post_message(self.honest, &WORD).is_ok())
    }

    /// Takes events until the honest extension hears its word. Returns whether it did in time.
    fn listen(&mut self, over: &AtomicBool) -> bool {
        patiently(over, || match &self.event_loop.next_event_unarmed() {
            Some(Event::Message { port, .. }) => *port == self.honest,
            _ => false,
        })
    }
}

/// Repeats a step until it succeeds, the other thread has given up, or the time is over, of which it then tells
/// the other. Returns whether it succeeded.
fn patiently(over: &AtomicBool, mut step: impl FnMut() -> bool) -> bool {
    let (mut steps, mut since) = (0_u32, None);
    while !step() {
        spin_loop();
        steps = steps.wrapping_add(1);
        if steps.is_multiple_of(4_096) {
            let waited = since.get_or_insert_with(Instant::now).elapsed();
            if over.load(Ordering::Relaxed) || waited > STALL {
                over.store(true, Ordering::Relaxed);
                return false;
            }
        }
    }
    true
}

/// The median of a sample's trips and its 99th percentile, in nanoseconds.
type Percentiles = [f64; 2];

/// Times so many trips. Returns the percentiles, and the sample that says how good they are.
fn trips(
    processors: &Processors,
    attack: Option<Attack>,
    count: usize,
) -> Result<(Percentiles, Sample), String> {
    let [mut near, mut far] = sides();
    let (over, attacked) = (&AtomicBool::new(false), &AtomicUsize::new(0));
    // What counts is what lies before a word, not how long the flooding scripts themselves run. Neither side is a trip ahead,
    // for it waits for the other's word.
    let have_attacked = |waits: bool| {
        let trips = attacked.fetch_add(1, Ordering::Relaxed) / 2 + 1;
        !waits || patiently(over, || attacked.load(Ordering::Relaxed) >= 2 * trips)
    };
    let mut times = Vec::with_capacity(count);
    let sample = two_threads(
        processors,
        count,
        |count| {
            times.clear();
            for _ in 0..count {
                near.attack(attack, true);
                if !have_attacked(true) {
                    break;
                }
                let start = Instant::now();
                if !(near.speak(over) && near.listen(over)) {
                    break;
                }
                times.push(start.elapsed());
            }
        },
        |count| {
            for _ in 0..count {
                far.attack(attack, false);
                if !have_attacked(!matches!(attack, Some(Attack::Chase))) {
                    break;
                }
                if !(far.listen(over) && far.speak(over)) {
                    break;
                }
            }
        },
    );
    if over.load(Ordering::Relaxed) {
        return Err(format!("no word in {} s", STALL.as_secs()));
    }
    let tail = p99(&mut times).ok_or("no trips")?;
    let median = times[times.len() / 2];
    Ok(([median, tail].map(|time| time.as_nanos() as f64), sample))
}

/// Takes a quiet sample and an attacked one, until both are good and were taken with the threads equally far apart.
/// Returns `None` if they never were.
fn round(
    processors: &Processors,
    attack: Attack,
    begun: Instant,
) -> Result<Option<[Percentiles; 2]>, String> {
    for _ in 0..ATTEMPTS {
        if begun.elapsed() > LONG {
            break;
        }
        let (quiet, first) = trips(processors, None, attack.trips())?;
        let (attacked, second) = trips(processors, Some(attack), attack.trips())?;
        if first.label().is_some() && first.label() == second.label() {
            return Ok(Some([quiet, attacked]));
        }
    }
    Ok(None)
}

fn spread(figures: impl Iterator<Item = f64>) -> (f64, String) {
    let Some(Spread { median, min, max }) = Spread::of(figures.collect()) else {
        return (f64::NAN, "–".into());
    };
    (median, format!("{} ({}–{})", figure(median), figure(min), figure(max)))
}

fn main() -> ExitCode {
    let Some(processors) = Processors::find() else {
        eprintln!("two processors are needed");
        return ExitCode::FAILURE;
    };
    // For what two threads wait for each other at the start and the end of a sample.
    thread::spawn(|| {
        thread::sleep(LONGEST);
        eprintln!("not done in {} s", LONGEST.as_secs());
        std::process::exit(1);
    });
    let begun = Instant::now();
    let mut rounds = Attack::ALL.map(|attack| (attack, Vec::new()));
    for _ in 0..ROUNDS {
        for (attack, good) in &mut rounds {
            match round(&processors, *attack, begun) {
                Ok(pair) => good.extend(pair),
                Err(error) => {
                    eprintln!("{}: {error}", attack.name());
                    return ExitCode::FAILURE;
                }
            }
        }
    }
    println!("{}\n", machine());
    println!(
        "| attack | p50, quiet | p50, attacked | p99, quiet | p99, attacked | p50, ratio | p99, ratio | p99 ≤ {LIMIT} × | rounds |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut all_met = true;
    for (attack, good) in &rounds {
        let cell = |which: usize, of: usize| spread(good.iter().map(|round| round[which][of])).1;
        let ratio = |of: usize| spread(good.iter().map(|[quiet, attacked]| attacked[of] / quiet[of]));
        let measured = good.len() >= LEAST;
        let verdict = match (measured, ratio(1).0 <= LIMIT) {
            (false, _) => "**not measured**",
            _ if !attack.is_judged() => "–",
            (true, true) => "met",
            (true, false) => "**short**",
        };
        all_met &= !attack.is_judged() || verdict == "met";
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {verdict} | {} |",
            attack.name(),
            cell(0, 0),
            cell(1, 0),
            cell(0, 1),
            cell(1, 1),
            ratio(0).1,
            ratio(1).1,
            good.len()
        );
    }
    if all_met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
