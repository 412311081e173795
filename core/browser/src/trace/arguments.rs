//! The command line of the replay.

use crate::launch::Launch;
use port_core_webext::Profile;
use std::path::PathBuf;

/// What `trace --help` prints.
pub(crate) const HELP: &str = "\
Replays scenarios that were recorded in real browsers, and writes what their contexts saw.

Usage: browser trace --profile chromium|firefox --scenarios DIR --out DIR
                     [--only PREFIX,…] [--processes]

Options:
  --profile NAME    The browser to follow: chromium or firefox.
  --scenarios DIR   The folder of the scenarios; harness.js lies in it or above it.
  --out DIR         Where to write NAME.json for each scenario.
  --only PREFIX,…   Only scenarios whose names begin so.
  --processes       Run each site, and the extension, in a process of its own (on Unix).
  --help            Print this.

The exit code is 0 when every scenario got to its end, 1 when one threw or took too
long, and 2 when the options are wrong.
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TraceArguments {
    /// The browser to follow.
    pub(crate) profile: Profile,
    /// The folder of the scenarios.
    pub(crate) scenarios: PathBuf,
    /// Where to write.
    pub(crate) out: PathBuf,
    /// Beginnings of the names of the scenarios to run; all if there are none.
    pub(crate) only: Vec<String>,
    /// How to start processes for sites and the extension, if they are to have their own.
    pub(crate) launch: Option<Launch>,
}

impl TraceArguments {
    /// Reads the command line behind `trace`; `None` when it asks for help.
    pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, lexopt::Error> {
        use lexopt::prelude::*;

        let (mut profile, mut scenarios, mut out, mut only) = (Profile::default(), None, None, Vec::new());
        let mut launch = None;
        while let Some(argument) = parser.next()? {
            match argument {
                Long("profile") => profile = parser.value()?.parse()?,
                Long("scenarios") => scenarios = Some(PathBuf::from(parser.value()?)),
                Long("out") => out = Some(PathBuf::from(parser.value()?)),
                Long("only") => {
                    let prefixes = parser.value()?.string()?;
                    only.extend(prefixes.split(',').filter(|prefix| !prefix.is_empty()).map(str::to_owned));
                }
                Long("processes") => launch = Some(Launch::itself()?),
                Long("help") | Short('h') => return Ok(None),
                unexpected => return Err(unexpected.unexpected()),
            }
        }
        Ok(Some(Self {
            profile,
            scenarios: scenarios.ok_or("--scenarios is missing")?,
            out: out.ok_or("--out is missing")?,
            only,
            launch,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::TraceArguments;
    use port_core_webext::Profile;
    use std::path::PathBuf;

    fn parse(arguments: &[&str]) -> Result<Option<TraceArguments>, String> {
        TraceArguments::parse(lexopt::Parser::from_args(arguments)).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_read() {
        let parsed =
            parse(&["--profile", "firefox", "--scenarios", "s", "--out=o", "--only", "a,b01", "--only", "c"]);
        let expected = TraceArguments {
            profile: Profile::Firefox,
            scenarios: PathBuf::from("s"),
            out: PathBuf::from("o"),
            only: ["a", "b01", "c"].map(str::to_owned).to_vec(),
            launch: None,
        };
        assert_eq!(parsed, Ok(Some(expected)));
        assert_eq!(parse(&["--help"]), Ok(None));
        assert!(parse(&["--out", "o"]).is_err_and(|error| error.contains("--scenarios")));
        assert!(parse(&["--scenarios", "s"]).is_err_and(|error| error.contains("--out")));
    }
}
