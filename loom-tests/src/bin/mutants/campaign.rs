//! Gives each mutation to the models.

use crate::Options;
use crate::allowed::Allowed;
use crate::models::{self, Model, Verdict, scratch};
use crate::mutation::{Mutation, Ordering};
use crate::record::Record;
use crate::sources::Sources;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// How long one model may take with nothing spoilt.
const SURVEY_LIMIT: Duration = Duration::from_secs(300);

/// How long one mutation may take over all models.
const MUTATION_LIMIT: Duration = Duration::from_secs(240);

/// A model, and what a run of it with nothing spoilt showed.
struct Surveyed {
    model: Model,
    took: Duration,
    verdict: Verdict,
    /// The lines it reported: the places it came past.
    reached: Vec<String>,
}

/// What became of a mutation.
struct Outcome {
    caught_by: Vec<(String, String)>,
    /// Models that came past its place and were asked.
    asked: usize,
    out_of_time: bool,
    took: Duration,
}

/// Runs the campaign; gives what is wrong.
pub(crate) fn run(options: &Options) -> Vec<String> {
    let began = Instant::now();
    let sources = Sources::read();
    let (allowed, mut complaints) = Allowed::read();
    let record = Record::read();
    let asked = |model: &Model| options.models.as_ref().is_none_or(|part| model.name().contains(part));
    let models: Vec<_> = models::find(options.surveyed.is_some()).into_iter().filter(asked).collect();
    let surveyed = in_turns(survey(&models, options.surveyed.as_deref()));
    complaints.extend(surveyed.iter().filter_map(|surveyed| match &surveyed.verdict {
        Verdict::Passed => None,
        Verdict::Failed(why) => Some(format!("fails with nothing spoilt: {}: {why}", surveyed.model.name())),
        Verdict::OutOfTime => Some(format!("does not end with nothing spoilt: {}", surveyed.model.name())),
    }));
    if !complaints.is_empty() {
        return complaints;
    }
    println!("{} models pass with nothing spoilt, in {:.0?}", surveyed.len(), began.elapsed());
    tell_the_slowest(&surveyed);

    let orderings = orderings(&surveyed);
    if options.models.is_none() {
        complaints.extend(sources.complaints(&orderings));
    }
    let mutants = sources.mutants();
    let mutations: Vec<_> = orderings
        .iter()
        .flat_map(Ordering::weakened)
        .chain(mutants.iter().cloned().map(Mutation::Mutant))
        .collect();
    let known: Vec<_> = mutations.iter().map(|mutation| mutation.lasting_name(&sources)).collect();
    complaints
        .extend(allowed.unknown(&known).map(|name| format!("the list of survivors has no such: {name}")));

    let wanted = |mutation: &&Mutation| {
        options.only.as_ref().is_none_or(|only| mutation.name().contains(only.as_str()))
    };
    let chosen: Vec<_> = mutations.iter().filter(wanted).collect();
    let outcomes = each(&chosen, |mutation| {
        let recorded = record.of(&mutation.lasting_name(&sources));
        attack(mutation, &surveyed, &recorded, options.complete)
    });
    let (mut caught, mut moved) = (0, 0);
    let mut anew = Record::default();
    for (mutation, outcome) in chosen.iter().zip(&outcomes) {
        caught += usize::from(!outcome.caught_by.is_empty());
        let lasting = mutation.lasting_name(&sources);
        if let Some((model, _)) = outcome.caught_by.first() {
            moved += usize::from(!record.of(&lasting).contains(&model.as_str()));
            anew.add(&lasting, model);
        }
        match (outcome.caught_by.is_empty(), allowed.has(&lasting)) {
            (true, false) => {
                let late = if outcome.out_of_time { ", out of time" } else { "" };
                let asked = outcome.asked;
                complaints
                    .push(format!("survived {asked} models{late}: {}\n       as {lasting}", mutation.name()));
            }
            (false, true) => complaints.push(format!("caught, though allowed to survive: {lasting}")),
            _ => {}
        }
    }
    let sites = orderings.len();
    let (all, mutants) = (chosen.len(), mutants.len());
    println!(
        "{caught} of {all} mutations caught ({sites} orderings, {mutants} mutants) in {:.0?}",
        began.elapsed()
    );
    if moved > 0 {
        println!("{moved} of them by another model than {} names", Record::NAME);
    }
    if options.record {
        anew.write();
    }
    complaints
}

/// Runs every model with nothing spoilt, unless that was done: `surveyed` is where it is told.
fn survey(models: &[Model], surveyed: Option<&Path>) -> Vec<Surveyed> {
    let done = AtomicUsize::new(0);
    each(models, |model| {
        if let Some((took, reached)) = surveyed.and_then(|folder| model.surveyed_in(folder)) {
            return Surveyed { model: model.clone(), took, verdict: Verdict::Passed, reached };
        }
        let report = scratch("reached");
        let began = Instant::now();
        let verdict = model.run(("PORT_CORE_REACHED", &report.to_string_lossy()), SURVEY_LIMIT);
        let took = began.elapsed();
        let reached = fs::read_to_string(&report).unwrap_or_default().lines().map(str::to_owned).collect();
        let _ = fs::remove_file(report);
        let done = done.fetch_add(1, Relaxed) + 1;
        if done.is_multiple_of(20) {
            println!("{done} models run with nothing spoilt");
        }
        Surveyed { model: model.clone(), took, verdict, reached }
    })
}

/// Prints which models take most of the time.
fn tell_the_slowest(surveyed: &[Surveyed]) {
    let mut slowest: Vec<_> = surveyed.iter().collect();
    slowest.sort_by_key(|surveyed| Reverse(surveyed.took));
    let slowest = slowest.iter().take(5);
    let each: Vec<_> = slowest.map(|one| format!("{} {:.0?}", one.model.name(), one.took)).collect();
    println!("the slowest: {}", each.join(", "));
}

/// The order in which to ask: each file's quickest, then each file's next, so that a file of
/// many combinations does not keep the others waiting.
fn in_turns(mut surveyed: Vec<Surveyed>) -> Vec<Surveyed> {
    surveyed.sort_by_key(|surveyed| surveyed.took);
    let mut of_file = HashMap::<_, usize>::new();
    let mut ranked: Vec<_> = surveyed
        .into_iter()
        .map(|surveyed| {
            let rank = of_file.entry(surveyed.model.file().to_owned()).or_default();
            *rank += 1;
            (*rank, surveyed)
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, surveyed)| surveyed).collect()
}

/// The orderings that any model came past, in order of place.
fn orderings(surveyed: &[Surveyed]) -> Vec<Ordering> {
    let lines = surveyed.iter().flat_map(|surveyed| &surveyed.reached);
    let mut orderings: Vec<_> = lines.filter_map(|line| Ordering::parse(line)).collect();
    orderings.sort_by(|one, other| {
        (one.file(), one.line(), &one.site).cmp(&(other.file(), other.line(), &other.site))
    });
    orderings.dedup();
    orderings
}

/// Gives a mutation to the models that come past its place: those that caught it the last time, then
/// the others in the order given.
fn attack(mutation: &Mutation, surveyed: &[Surveyed], recorded: &[&str], complete: bool) -> Outcome {
    let began = Instant::now();
    let mut outcome = Outcome { caught_by: Vec::new(), asked: 0, out_of_time: false, took: Duration::ZERO };
    let concerned = surveyed.iter().filter(|surveyed| comes_past(surveyed, mutation));
    let (first, others): (Vec<_>, Vec<_>) =
        concerned.partition(|surveyed| recorded.contains(&surveyed.model.name().as_str()));
    for surveyed in first.into_iter().chain(others) {
        let left = MUTATION_LIMIT.saturating_sub(began.elapsed());
        if left.is_zero() && !complete {
            outcome.out_of_time = true;
            break;
        }
        outcome.asked += 1;
        // A mutant may make a model run for ever, which proves nothing.
        let limit = Duration::from_secs(10).max(surveyed.took * 10);
        match surveyed.model.run(("PORT_CORE_MUTATION", &mutation.value()), limit) {
            Verdict::Failed(why) => outcome.caught_by.push((surveyed.model.name(), why)),
            Verdict::OutOfTime => outcome.out_of_time = true,
            Verdict::Passed => {}
        }
        if !complete && !outcome.caught_by.is_empty() {
            break;
        }
    }
    outcome.took = began.elapsed();
    tell(mutation, &outcome, complete);
    outcome
}

fn comes_past(surveyed: &Surveyed, mutation: &Mutation) -> bool {
    surveyed.reached.iter().any(|line| match mutation {
        Mutation::Ordering(ordering, _) => Ordering::parse(line).as_ref() == Some(ordering),
        Mutation::Mutant(name) => line.strip_prefix("mutant\t") == Some(name),
    })
}

fn tell(mutation: &Mutation, outcome: &Outcome, complete: bool) {
    let name = mutation.name();
    let took = outcome.took;
    match outcome.caught_by.first() {
        None => println!("SURVIVED {name} ({} models, {took:.1?})", outcome.asked),
        Some((model, why)) if !complete => println!("caught   {name}\n         by {model}: {why}"),
        Some(_) => {
            println!("caught   {name}, by {} of {}", outcome.caught_by.len(), outcome.asked);
            for (model, why) in &outcome.caught_by {
                println!("         by {model}: {why}");
            }
        }
    }
}

/// Does something to each, on all processors; the results in order.
fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some((at, item)) = {
                    let at = next.fetch_add(1, Relaxed);
                    items.get(at).map(|item| (at, item))
                } {
                    let result = work(item);
                    results.lock().expect("no worker panics").push((at, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("no worker panics");
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}
