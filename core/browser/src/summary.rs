//! What a run came to: ports, messages and rates.

use port_core::DisconnectReason;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// What one thread counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// Contexts that ran scripts.
    pub(crate) contexts: u64,
    /// Ports opened by `connect`.
    pub(crate) connects: u64,
    /// Ports received by `onConnect`.
    pub(crate) accepts: u64,
    /// Messages posted.
    pub(crate) posts: u64,
    /// Messages delivered; a post reaches every receiver of its port.
    pub(crate) deliveries: u64,
    /// Bytes of the messages delivered.
    pub(crate) bytes: u64,
    /// Ports that ended, by reason.
    pub(crate) disconnects: BTreeMap<DisconnectReason, u64>,
    /// When the first message was posted.
    pub(crate) first_post: Option<Instant>,
    /// When the last message was delivered.
    pub(crate) last_delivery: Option<Instant>,
}

impl Counts {
    /// Adds what another thread counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.contexts += other.contexts;
        self.connects += other.connects;
        self.accepts += other.accepts;
        self.posts += other.posts;
        self.deliveries += other.deliveries;
        self.bytes += other.bytes;
        for (&reason, count) in &other.disconnects {
            *self.disconnects.entry(reason).or_default() += count;
        }
        self.first_post = self.first_post.into_iter().chain(other.first_post).min();
        self.last_delivery = self.last_delivery.into_iter().chain(other.last_delivery).max();
    }
}

/// The end of the log.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    /// How long the run took, in seconds.
    seconds: f64,
    /// Whether it was stopped at the time limit.
    stopped: bool,
    threads: usize,
    contexts: u64,
    connects: u64,
    accepts: u64,
    posts: u64,
    deliveries: u64,
    bytes: u64,
    /// From the first post to the last delivery, in seconds.
    busy_seconds: f64,
    /// Why ports ended, and how many.
    disconnects: BTreeMap<String, u64>,
    /// Errors of extensions.
    errors: u64,
}

impl Summary {
    /// Whether the run was stopped at the time limit.
    pub(crate) fn was_stopped(&self) -> bool {
        self.stopped
    }

    /// Sums a run up.
    pub(crate) fn new(
        counts: &Counts,
        threads: usize,
        duration: Duration,
        stopped: bool,
        errors: u64,
    ) -> Self {
        let busy = match (counts.first_post, counts.last_delivery) {
            (Some(first), Some(last)) => last.saturating_duration_since(first),
            _ => Duration::ZERO,
        };
        Self {
            seconds: duration.as_secs_f64(),
            stopped,
            threads,
            contexts: counts.contexts,
            connects: counts.connects,
            accepts: counts.accepts,
            posts: counts.posts,
            deliveries: counts.deliveries,
            bytes: counts.bytes,
            busy_seconds: busy.as_secs_f64(),
            disconnects: counts
                .disconnects
                .iter()
                .map(|(reason, count)| (reason.to_string(), *count))
                .collect(),
            errors,
        }
    }

    /// Messages delivered per second, between the first post and the last delivery.
    fn rate(&self) -> f64 {
        if self.busy_seconds > 0.0 { self.deliveries as f64 / self.busy_seconds } else { 0.0 }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.stopped { "stopped after" } else { "all quiet after" };
        writeln!(f, "{end} {:.3} s", self.seconds)?;
        writeln!(f, "  script contexts: {}, on threads: {}", self.contexts, self.threads)?;
        writeln!(f, "  ports: {} opened, {} received by listeners", self.connects, self.accepts)?;
        writeln!(
            f,
            "  messages: {} posted, {} delivered, {} bytes",
            self.posts, self.deliveries, self.bytes
        )?;
        if self.deliveries > 0 {
            let per_second = self.rate();
            let busy = self.busy_seconds * 1_000.0;
            writeln!(f, "  rate: {per_second:.0} messages a second, script to script, over {busy:.1} ms")?;
        }
        for (reason, count) in &self.disconnects {
            writeln!(f, "  ports that heard {reason:?}: {count}")?;
        }
        write!(f, "  errors: {}", self.errors)
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, Summary};
    use port_core::DisconnectReason;
    use std::time::{Duration, Instant};

    #[test]
    fn threads_are_added_up() {
        let start = Instant::now();
        let later = start + Duration::from_millis(500);
        let mut total = Counts { posts: 2, first_post: Some(start), ..Counts::default() };
        total.add(&Counts {
            deliveries: 5,
            last_delivery: Some(later),
            disconnects: [(DisconnectReason::TabClosed, 3)].into(),
            ..Counts::default()
        });
        total.add(&Counts { deliveries: 5, last_delivery: Some(start), ..Counts::default() });
        let summary = Summary::new(&total, 3, Duration::from_secs(1), false, 1);
        let text = summary.to_string();
        for line in [
            "all quiet after 1.000 s",
            "on threads: 3",
            "messages: 2 posted, 10 delivered",
            "20 messages a second, script to script, over 500.0 ms",
            "ports that heard \"the other side's tab was closed\": 3",
            "errors: 1",
        ] {
            assert!(text.contains(line), "{line:?} is missing in\n{text}");
        }
    }

    #[test]
    fn a_silent_run_has_no_rate() {
        let summary = Summary::new(&Counts::default(), 1, Duration::ZERO, true, 0);
        assert!(!summary.to_string().contains("a second"), "{summary}");
    }
}
