//! How findings are shown: as tables, and as JSON.

use crate::judgement::Verdict;
use crate::memory::Count;
use crate::question::{Answers, Question};
use crate::sample::{Label, Summary};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Everything found in one run.
#[derive(Debug)]
pub struct Findings {
    /// By the question's name.
    pub answers: BTreeMap<String, Answers>,
    /// What was counted, not timed.
    pub counts: Vec<Count>,
}

impl Findings {
    /// What a contender answered under a label.
    #[must_use]
    pub fn get(&self, question: &str, label: Label, contender: &str) -> Option<Summary> {
        let rows = self.answers.get(question)?.get(&label)?;
        rows.iter().find(|(name, _)| *name == contender).map(|(_, summary)| *summary)
    }

    /// The figure of a count.
    #[must_use]
    pub fn count(&self, name: &str) -> Option<f64> {
        self.counts.iter().find(|count| count.name == name).map(|count| count.figure)
    }

    /// The labels under which a question was answered.
    pub fn labels(&self, question: &str) -> impl Iterator<Item = Label> {
        self.answers.get(question).into_iter().flat_map(|answers| answers.keys().copied())
    }

    /// As JSON. Names here hold nothing that needs escaping.
    #[must_use]
    pub fn to_json(&self, verdicts: &[Verdict]) -> String {
        let mut rows = Vec::new();
        for (question, answers) in &self.answers {
            for (label, contenders) in answers {
                for (contender, Summary { median, min, max, count, p99 }) in contenders {
                    let p99 = p99.map_or("null".into(), |p99| format!("{p99:.1}"));
                    rows.push(format!(
                        "{{\"question\":\"{question}\",\"contender\":\"{contender}\",\"label\":\"{label}\",\
                         \"median_ns\":{median:.2},\"min_ns\":{min:.2},\"max_ns\":{max:.2},\
                         \"samples\":{count},\"p99_ns\":{p99}}}"
                    ));
                }
            }
        }
        let counts = self.counts.iter().map(|count| {
            format!(
                "{{\"count\":\"{}\",\"figure\":{},\"unit\":\"{}\"}}",
                count.name, count.figure, count.unit
            )
        });
        let verdicts = verdicts.iter().map(|verdict| {
            format!(
                "{{\"target\":\"{}\",\"of\":\"{}\",\"label\":\"{}\",\"figure\":{:.3},\"bound\":{:.3},\"met\":{}}}",
                verdict.target,
                verdict.what,
                verdict.label.map(|label| label.to_string()).unwrap_or_default(),
                verdict.figure,
                verdict.bound,
                verdict.is_met()
            )
        });
        let list = |items: Vec<String>| items.join(",\n");
        format!(
            "{{\"rows\":[\n{}\n],\n\"counts\":[\n{}\n],\n\"verdicts\":[\n{}\n]}}\n",
            list(rows),
            list(counts.collect()),
            list(verdicts.collect())
        )
    }
}

/// Prints a question's rows: nanoseconds per operation, beside the first contender's.
pub fn print_answers(question: &Question, answers: &Answers, left_out: usize) {
    let mut text = format!("\n{}", question.name);
    if left_out > 0 {
        let _ = write!(text, " ({left_out} samples left out: the machine was busy or changed)");
    }
    let _ = write!(
        text,
        "\n  {:12} {:26} {:>9} {:>9} {:>9} {:>4} {:>7} {:>9}",
        "label", "contender", "median", "min", "max", "n", "ratio", "p99"
    );
    let ours = question.contenders.first().map_or("", |contender| contender.name);
    for (label, rows) in answers {
        let reference = rows.iter().find(|(name, _)| *name == ours).map(|(_, ours)| ours.median);
        for (name, Summary { median, min, max, count, p99 }) in rows {
            let ratio = reference.map_or("-".into(), |ours| format!("{:.2}", ours / median));
            let p99 = p99.map_or("-".into(), |p99| format!("{p99:.0}"));
            let _ = write!(
                text,
                "\n  {label:12} {name:26} {median:9.1} {min:9.1} {max:9.1} {count:4} {ratio:>7} {p99:>9}"
            );
        }
    }
    println!("{text}");
}

/// Prints what was counted.
pub fn print_counts(counts: &[Count]) {
    println!("counted");
    for Count { name, figure, unit } in counts {
        println!("  {name:52} {figure:12.3} {unit}");
    }
}

/// Prints which targets are met and which are short.
pub fn print_verdicts(verdicts: &[Verdict]) {
    println!("\ntargets");
    for verdict in verdicts {
        let Verdict { target, what, label, figure, bound } = verdict;
        let label = label.map(|label| label.to_string()).unwrap_or_default();
        let word = if verdict.is_met() { "met" } else { "short" };
        println!("  {target:4} {word:6} {label:12} {what:66} {figure:10.3} of at most {bound:.3}");
    }
}
