//! The command lines of the browser, of its replay and of its measurements.

use super::texts;
use crate::arguments::Arguments;
use crate::bench::BenchArguments;
use crate::trace::TraceArguments;
use crate::web::Page;
use lexopt::Parser;

/// The words of a command line.
pub fn command_line(input: &[u8]) {
    let words = texts(input);
    match Arguments::parse(Parser::from_args(&words)) {
        Ok(Some(arguments)) => {
            assert!(!arguments.pages.is_empty() && !arguments.extensions.is_empty());
            let frames: usize = arguments.pages.iter().map(count).sum();
            assert!(frames <= 100_000, "one short line opens {frames} frames");
        }
        Ok(None) => {}
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    for error in [
        TraceArguments::parse(Parser::from_args(&words)).err(),
        BenchArguments::parse(Parser::from_args(&words)).err(),
    ] {
        assert!(error.is_none_or(|error| !error.to_string().is_empty()));
    }
}

fn count(page: &Page) -> usize {
    let mut pages = vec![page];
    let mut count = 0;
    while let Some(page) = pages.pop() {
        count += 1;
        pages.extend(&page.frames);
    }
    count
}
