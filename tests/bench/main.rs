//! The benchmark: what the release binary costs and how fast it is, measured from outside through its doors.
//!
//! `cargo bench --bench bench -- --help` says how to run it; `README.md` beside this file says what the figures mean.

mod args;
mod ddp;
mod disk;
mod fanout;
mod fill;
mod folders;
mod gates;
mod history;
mod hostile;
mod http;
mod loop_disk;
mod machine;
mod memory;
mod mqtt;
mod posts;
mod publish;
mod report;
mod server;
mod soak;
mod start;
mod stats;
mod tables;
mod websocket;
mod writes;

use args::{Args, Output, Scenario};
use machine::Quiet;
use report::Figures;
use std::io;
use std::process::ExitCode;

/// What a measurement gives, or why it could not be made.
pub type Outcome<T> = io::Result<T>;

/// A failure in words.
pub fn wrong(what: impl Into<String>) -> io::Error {
    io::Error::other(what.into())
}

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(Some(args)) => args,
        Ok(None) => {
            print!("{}", args::HELP);
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("bench: {message}\ntry 'cargo bench --bench bench -- --help'");
            return ExitCode::from(2);
        }
    };
    match run(&args) {
        Ok(met) => ExitCode::from(u8::from(args.check && !met)),
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the scenarios and prints the figures. Whether every gate of them is met.
fn run(args: &Args) -> Outcome<bool> {
    machine::allow_many_sockets()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut figures = Figures::new(args);
    let mut failed = false;
    for scenario in &args.scenarios {
        eprintln!("{} ...", scenario.name());
        let quiet = Quiet::begin();
        // The other scenarios' figures are worth having all the same.
        if let Err(error) = runtime.block_on(measure(*scenario, args, &mut figures)) {
            eprintln!("{} failed: {error}", scenario.name());
            failed = true;
        }
        figures.note_others(scenario.name(), quiet.others_share());
    }
    match args.output {
        Output::Text => print!("{}", figures.text()),
        Output::Markdown => print!("{}", figures.markdown()),
        Output::Json => println!("{}", figures.json()),
    }
    let missed = gates::missed(args, &figures);
    for line in &missed {
        eprintln!("gate missed: {line}");
    }
    if failed { Err(wrong("not everything could be measured")) } else { Ok(missed.is_empty()) }
}

async fn measure(scenario: Scenario, args: &Args, figures: &mut Figures) -> Outcome<()> {
    let tasks = tokio::task::LocalSet::new();
    tasks
        .run_until(async move {
            match scenario {
                Scenario::Posts => posts::run(args, figures).await,
                Scenario::Fanout => fanout::run(args, figures).await,
                Scenario::Memory => memory::run(args, figures).await,
                Scenario::Start => start::run(args, figures).await,
                Scenario::History => history::run(args, figures).await,
                Scenario::Writes => writes::run(args, figures).await,
                Scenario::Mqtt => mqtt::run(args, figures).await,
                Scenario::Hostile => hostile::run(args, figures).await,
                Scenario::Soak => soak::run(args, figures).await,
            }
        })
        .await
}
