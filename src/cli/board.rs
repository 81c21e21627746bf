//! `linnet board`: which board this is, and what linnet may use of it.

use super::args::{Opt, Spec};
use super::here::{Here, Standing};
use super::table::{plain, table};
use super::{Action, Streams};
use crate::base::board::Bus;
use crate::base::budget::Budget;
use crate::config::Config;
use crate::doors::gpio::{How, buses_on};
use serde::Serialize;
use std::io;

pub(super) const BOARD: Spec = Spec {
    words: "board",
    operands: &[],
    options: &[Opt::switch("--json"), Opt::switch("--systemd")],
    help: HELP,
    build: |given, _| {
        let form = match (given.has("--json"), given.has("--systemd")) {
            (true, true) => return Err(given.usage("choose one of --json and --systemd")),
            (true, false) => Form::Json,
            (false, true) => Form::Systemd,
            (false, false) => Form::Words,
        };
        Ok(Action::Board { sources: given.sources(), form })
    },
};

const HELP: &str = "\
linnet board: which board this is, and what linnet may use of it

usage: linnet board [--json|--systemd]

  --json           for scripts
  --systemd        the lines that bound the service's memory, as a drop-in of its unit
  --data DIR       the node's data folder (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

The device tree names the board; the setting 'board' overrides it, and [budget] what it allows.

examples:
  linnet board
  linnet board --json | jq .budget
  LINNET_BOARD=pi-4 linnet board        what a Pi 4 would be given
  linnet board --systemd | sudo tee /etc/systemd/system/linnet.service.d/board.conf
";

/// How the board is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Words,
    /// For scripts.
    Json,
    /// For the service's unit.
    Systemd,
}

/// Tells it.
pub(super) fn print(here: &Here, config: &Config, form: Form, streams: &mut Streams<'_>) -> io::Result<()> {
    let standing = Standing::of(&here.root, config);
    let on = buses_on(&here.root, &standing.found.board);
    let text = match form {
        Form::Words => words(&standing, &on),
        Form::Json => {
            let line = serde_json::to_string(&BoardLine::of(&standing, &on));
            format!("{}\n", line.expect("it has no keys but texts"))
        }
        Form::Systemd => unit(&standing),
    };
    streams.out.write_all(text.as_bytes())
}

fn words(standing: &Standing, on: &[&str]) -> String {
    let Standing { found, machine, budget } = standing;
    let board = &found.board;
    let model = found.model.as_deref().map(plain);
    let why = match (found.how, model) {
        (How::Set, Some(model)) => format!("as the settings say; the machine calls itself '{model}'"),
        (How::Set, None) => "as the settings say".to_owned(),
        (How::Model, model) => model.unwrap_or_default(),
        (How::Unknown, Some(model)) => format!("nothing is known of '{model}'"),
        (How::Unknown, None) => "the machine does not say what it is".to_owned(),
    };
    let chip = match &board.gpio_chip {
        Some(chip) => format!("{} on the header, of the chip '{chip}'", board.header.len()),
        None => "none that linnet knows".to_owned(),
    };
    let of = machine.memory.map_or(String::new(), |memory| format!(" of {}", mib(memory)));
    let [high, max] = [budget.memory_high(), budget.memory_max()].map(mib);
    let hashing = if budget.hashers == 1 { "1 password" } else { "2 passwords" };
    let per_address = budget.connections_per_address;
    let mut rows = vec![
        ["board".to_owned(), format!("{}   ({why})", board.name)],
        ["target".to_owned(), board.target.clone()],
        ["pins".to_owned(), chip],
        [
            "memory".to_owned(),
            format!("{}{of}; a service is pressed at {high} and ended at {max}", mib(budget.memory)),
        ],
        ["caches".to_owned(), caches(budget)],
        ["sessions".to_owned(), format!("{} listening at one time", budget.sessions)],
        ["http".to_owned(), format!("{} connections, {per_address} of one address", budget.connections)],
        ["hashing".to_owned(), format!("{hashing} at one time")],
    ];
    rows.extend(board.buses.iter().map(|bus| [bus.name.clone(), bus_words(bus, on)]));
    let next = match (found.how, &board.gpio_chip) {
        (_, Some(_)) => "next: linnet pins",
        (How::Unknown, None) => {
            "next: set board = \"...\" in linnet.toml if this is a Pi; 'linnet config' lists them"
        }
        (_, None) => "next: linnet status",
    };
    format!("{}{next}\n", table(&[], rows.into_iter().map(Vec::from)))
}

fn caches(budget: &Budget) -> String {
    let kib = |bytes: usize| format!("{} KiB", bytes / 1024);
    format!(
        "{}: {} index, {} newest messages, {} encoded, {} waiting to be written",
        kib(budget.cache()),
        kib(budget.index_cache),
        kib(budget.tail_bytes),
        kib(budget.frames_bytes),
        kib(budget.layer_bytes)
    )
}

fn bus_words(bus: &Bus, on: &[&str]) -> String {
    let pins: Vec<String> = bus.pins.iter().map(|bcm| format!("GPIO{bcm}")).collect();
    let pins = pins.join(", ");
    match on.contains(&bus.name.as_str()) {
        true => format!("on, has {pins}"),
        false => format!("off; '{}' in config.txt turns it on and takes {pins}", bus.enable),
    }
}

/// The part of the unit that depends on the board.
fn unit(standing: &Standing) -> String {
    let (budget, board) = (&standing.budget, &standing.found.board.name);
    let [high, max] = [budget.memory_high(), budget.memory_max()].map(|bytes| bytes / (1024 * 1024));
    format!(
        "# What linnet may use of the board '{board}', by 'linnet board --systemd'.\n[Service]\nMemoryHigh={high}M\n\
         MemoryMax={max}M\n"
    )
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes / (1024 * 1024))
}

/// The board for a script.
#[derive(Serialize)]
struct BoardLine<'a> {
    board: &'a str,
    known_by: &'a str,
    model: Option<&'a str>,
    target: &'a str,
    gpio_chip: Option<&'a str>,
    pins: usize,
    machine_memory_bytes: Option<u64>,
    budget: BudgetLine,
    buses: Vec<BusLine<'a>>,
}

#[derive(Serialize)]
struct BudgetLine {
    memory_bytes: u64,
    memory_high_bytes: u64,
    memory_max_bytes: u64,
    cache_bytes: usize,
    index_cache_bytes: usize,
    sessions: usize,
    connections: usize,
    hashers: usize,
}

#[derive(Serialize)]
struct BusLine<'a> {
    name: &'a str,
    on: bool,
    pins: &'a [u8],
    enable: &'a str,
}

impl<'a> BoardLine<'a> {
    fn of(standing: &'a Standing, on: &[&str]) -> BoardLine<'a> {
        let Standing { found, machine, budget } = standing;
        let board = &found.board;
        let bus = |bus: &'a Bus| BusLine {
            name: &bus.name,
            on: on.contains(&bus.name.as_str()),
            pins: &bus.pins,
            enable: &bus.enable,
        };
        BoardLine {
            board: &board.name,
            known_by: match found.how {
                How::Set => "settings",
                How::Model => "model",
                How::Unknown => "nothing",
            },
            model: found.model.as_deref(),
            target: &board.target,
            gpio_chip: board.gpio_chip.as_deref(),
            pins: board.header.len(),
            machine_memory_bytes: machine.memory,
            budget: BudgetLine {
                memory_bytes: budget.memory,
                memory_high_bytes: budget.memory_high(),
                memory_max_bytes: budget.memory_max(),
                cache_bytes: budget.cache(),
                index_cache_bytes: budget.index_cache,
                sessions: budget.sessions,
                connections: budget.connections,
                hashers: budget.hashers,
            },
            buses: board.buses.iter().map(bus).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
