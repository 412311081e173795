//! The command line of the measurement.

use crate::launch::Launch;
use port_core_webext::Profile;
use std::path::PathBuf;

/// What `bench --help` prints.
pub(crate) const HELP: &str = "\
Measures messaging from script to script, beside the figures of real browsers.

Usage: browser bench [--profile chromium|firefox] [--samples COUNT] [--processes] [--json FILE]

Options:
  --profile NAME    The browser to follow: chromium (the default) or firefox.
  --samples COUNT   How many samples to take (default 11), besides one to warm up.
  --processes       Run each site, and the extension, in a process of its own (on Unix).
                    Memory and processor time are then the browser's process's alone.
  --json FILE       Write the medians, and their ranges, to a file, for machines.
  --help            Print this.

The exit code is 0 when all was measured, 1 when it was not, and 2 when the options are wrong.
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BenchArguments {
    /// The browser to follow.
    pub(crate) profile: Profile,
    /// How many samples to take, at least one.
    pub(crate) samples: usize,
    /// How to start processes for sites and the extension, if they are to have their own.
    pub(crate) launch: Option<Launch>,
    /// Where to write the medians and their ranges.
    pub(crate) json: Option<PathBuf>,
}

impl BenchArguments {
    /// Reads the command line behind `bench`; `None` when it asks for help.
    pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, lexopt::Error> {
        use lexopt::prelude::*;

        let mut arguments = Self { profile: Profile::default(), samples: 11, launch: None, json: None };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("profile") => arguments.profile = parser.value()?.parse()?,
                Long("samples") => {
                    arguments.samples = parser.value()?.parse()?;
                    if arguments.samples == 0 {
                        return Err("--samples needs at least one".into());
                    }
                }
                Long("processes") => arguments.launch = Some(Launch::itself()?),
                Long("json") => arguments.json = Some(PathBuf::from(parser.value()?)),
                Long("help") | Short('h') => return Ok(None),
                unexpected => return Err(unexpected.unexpected()),
            }
        }
        Ok(Some(arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::BenchArguments;
    use port_core_webext::Profile;

    fn parse(arguments: &[&str]) -> Result<Option<BenchArguments>, String> {
        BenchArguments::parse(lexopt::Parser::from_args(arguments)).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_read() {
        let expected = BenchArguments { profile: Profile::Chromium, samples: 11, launch: None, json: None };
        assert_eq!(parse(&[]), Ok(Some(expected)));
        let expected = BenchArguments {
            profile: Profile::Firefox,
            samples: 3,
            launch: None,
            json: Some("out.json".into()),
        };
        assert_eq!(parse(&["--samples=3", "--profile", "firefox", "--json", "out.json"]), Ok(Some(expected)));
        assert_eq!(parse(&["--help"]), Ok(None));
        assert!(parse(&["--samples", "0"]).is_err_and(|error| error.contains("at least one")));
        assert!(parse(&["--time", "1"]).is_err());
    }
}
