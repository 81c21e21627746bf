//! Parse, run, exit code.

use linnet::app::Program;
use linnet::cli::run;
use std::process::ExitCode;

fn main() -> ExitCode {
    run(std::env::args_os().skip(1), &Program::new())
}
