//! What the benchmark is told on its command line.

use std::path::PathBuf;

pub const HELP: &str = "\
Measures a release build of linnet through its doors.

usage: cargo bench --bench bench -- [SCENARIO...] [options]

scenarios (all of them but soak when none is named):
  posts     durable posts per second with 1, 8 and 64 posters, beside the disk's own write + fdatasync
  fanout    one publisher, 1, 100 and 1,000 realtime subscribers: deliveries per second, CPU, latency
  memory    resident memory when idle, and for each idle subscribed WebSocket
  start     from exec to ready with 100,000 and 1,000,000 stored messages, after a stop and after kill -9
  history   a page of 50 deep in a room of 100,000 and of 900,000 messages
  writes    bytes that reach the disk for each message, beside SQLite (needs root: a loop device)
  mqtt      the broker beside Mosquitto: fan-out, ingest, idle connections, a backlog
  hostile   the broker under attack: others' deliveries, new connections, memory
  soak      resident memory over a million posts, with 200 subscribers that come and go (minutes)

options:
  --check        compare with the gates; ends with 1 and names them when some are missed
  --json         print one line of JSON instead of the tables
  --markdown     print the tables as they stand in tests/bench/README.md
  --runs N       runs of each measurement, of which the median is taken (3)
  --quick        a tenth of the work and no million messages: to see that it runs, not for figures
  --data DIR     keep the filled data folders here and use them again (target/tmp/bench)

LINNET_BIN names another binary to measure.
";

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scenario {
    Posts,
    Fanout,
    Memory,
    Start,
    History,
    Writes,
    Mqtt,
    Hostile,
    Soak,
}

impl Scenario {
    pub const ALL: [Scenario; 9] = [
        Scenario::Memory,
        Scenario::Posts,
        Scenario::Fanout,
        Scenario::Start,
        Scenario::History,
        Scenario::Writes,
        Scenario::Mqtt,
        Scenario::Hostile,
        Scenario::Soak,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Scenario::Posts => "posts",
            Scenario::Fanout => "fanout",
            Scenario::Memory => "memory",
            Scenario::Start => "start",
            Scenario::History => "history",
            Scenario::Writes => "writes",
            Scenario::Mqtt => "mqtt",
            Scenario::Hostile => "hostile",
            Scenario::Soak => "soak",
        }
    }
}

/// How the figures are printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    Text,
    Markdown,
    Json,
}

/// The command line, understood.
pub struct Args {
    pub scenarios: Vec<Scenario>,
    pub output: Output,
    pub check: bool,
    pub runs: usize,
    pub quick: bool,
    /// Where filled folders are kept.
    pub data: PathBuf,
    /// The binary that is measured.
    pub binary: PathBuf,
    /// The words as they were given, to repeat them beside the figures.
    pub words: String,
}

impl Args {
    /// `None` when help is wanted.
    pub fn parse(words: impl Iterator<Item = String>) -> Result<Option<Args>, String> {
        // Cargo adds this word to every benchmark's command line.
        let words: Vec<String> = words.filter(|word| word != "--bench").collect();
        let binary = std::env::var_os("LINNET_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_linnet").into());
        let mut args = Args {
            scenarios: Vec::new(),
            output: Output::Text,
            check: false,
            runs: 3,
            quick: false,
            data: PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench"),
            binary: binary.into(),
            words: words.join(" "),
        };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--check" => args.check = true,
                "--json" => args.output = Output::Json,
                "--markdown" => args.output = Output::Markdown,
                "--quick" => args.quick = true,
                "--data" => args.data = value()?.into(),
                "--runs" => {
                    let runs = value()?.parse().ok().filter(|runs| *runs > 0);
                    args.runs = runs.ok_or("--runs needs a number above 0")?;
                }
                word => match Scenario::ALL.into_iter().find(|scenario| scenario.name() == word) {
                    Some(scenario) => args.scenarios.push(scenario),
                    None => return Err(format!("'{word}' is neither a scenario nor an option")),
                },
            }
        }
        if args.scenarios.is_empty() {
            args.scenarios =
                Scenario::ALL.into_iter().filter(|scenario| *scenario != Scenario::Soak).collect();
        }
        Ok(Some(args))
    }

    /// So many, or a tenth of it for a quick look.
    pub fn scaled(&self, count: usize) -> usize {
        if self.quick { count / 10 } else { count }
    }
}
