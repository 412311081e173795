//! What can be spoilt.

use crate::sources::Sources;

/// One way to spoil the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// An operation called at `site` gets a weaker ordering.
    Ordering(Ordering, &'static str),
    /// A known mistake.
    Mutant(String),
}

/// An ordering in the core that is not `Relaxed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ordering {
    /// `file:line:column` of the call, below the core's `src`.
    pub(crate) site: String,
    pub(crate) operation: String,
    pub(crate) ordering: String,
}

impl Ordering {
    /// From what a model reported.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut parts = line.strip_prefix("ordering\t")?.split('\t').map(str::to_owned);
        Some(Self { site: parts.next()?, operation: parts.next()?, ordering: parts.next()? })
    }

    pub(crate) fn file(&self) -> &str {
        self.site.split(':').next().unwrap_or_default()
    }

    pub(crate) fn line(&self) -> usize {
        self.site.split(':').nth(1).and_then(|line| line.parse().ok()).unwrap_or(0)
    }

    /// The orderings to try instead, the weakest last.
    fn weaker(&self) -> &'static [&'static str] {
        match (self.operation.as_str(), self.ordering.as_str()) {
            ("fence", "SeqCst") => &["AcqRel", "Relaxed"],
            ("load", "SeqCst") => &["Acquire", "Relaxed"],
            ("store", "SeqCst") => &["Release", "Relaxed"],
            (_, "SeqCst") => &["AcqRel", "Acquire", "Release", "Relaxed"],
            (_, "AcqRel") => &["Acquire", "Release", "Relaxed"],
            _ => &["Relaxed"],
        }
    }

    pub(crate) fn weakened(&self) -> impl Iterator<Item = Mutation> + '_ {
        self.weaker().iter().map(|weaker| Mutation::Ordering(self.clone(), weaker))
    }
}

impl Mutation {
    /// As the core takes it from `PORT_CORE_MUTATION`.
    pub(crate) fn value(&self) -> String {
        match self {
            Self::Ordering(Ordering { site, operation, .. }, weaker) => {
                format!("{site} {operation} {weaker}")
            }
            Self::Mutant(name) => name.clone(),
        }
    }

    /// For people.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Ordering(Ordering { site, operation, ordering }, weaker) => {
                let weaker = if operation == "fence" && *weaker == "Relaxed" { "dropped" } else { weaker };
                format!("{site} {operation} {ordering} -> {weaker}")
            }
            Self::Mutant(name) => name.clone(),
        }
    }

    /// For the list of survivors: by the text of the line, which moves less than its number.
    pub(crate) fn lasting_name(&self, sources: &Sources) -> String {
        match self {
            Self::Ordering(at, weaker) => {
                format!(
                    "{} | {} | {} -> {weaker}",
                    at.file(),
                    sources.line(at.file(), at.line()),
                    at.operation
                )
            }
            Self::Mutant(name) => name.clone(),
        }
    }
}
