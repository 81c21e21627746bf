//! Parse, run, exit code.

use linnet::cli::{Backend, Failure, run};
use linnet::config::Loaded;
use linnet::doors::control::wire::{Reply, Request};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    run(std::env::args_os().skip(1), &NoNode)
}

/// Until the composition root exists: everything but the command line itself is refused.
struct NoNode;

const ABSENT: &str = "this build holds the command line only, no node";

impl Backend for NoNode {
    fn serve(&self, _: Loaded, _: bool) -> Result<(), Failure> {
        Err(Failure { message: ABSENT.to_owned(), hint: None })
    }

    fn offline(&self, _: &Path, _: Request) -> Reply {
        Reply::Refused { message: ABSENT.to_owned(), hint: None }
    }
}
