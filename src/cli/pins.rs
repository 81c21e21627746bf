//! `linnet pins`: the header as it lies before you, with who has which pin.

use super::args::{Opt, Spec};
use super::here::{Here, Standing};
use super::table::plain;
use super::{Action, Failure, Streams, print_failure};
use crate::base::board::{Board, Pin, PinRole};
use crate::base::pins::{PinError, PinName, PinState, PinUse};
use crate::config::Config;
use crate::doors::gpio::buses_on;
use serde::Serialize;
use std::io;

pub(super) const PINS: Spec = Spec {
    words: "pins",
    operands: &["[PIN]"],
    options: &[Opt::switch("--json")],
    help: HELP,
    build: |given, _| {
        if given.rest().is_some() {
            return Err(given.usage("'pins' shows one pin or all of them"));
        }
        let pin =
            given.first().map(PinName::parse).transpose().map_err(|error| given.usage(error.to_string()))?;
        Ok(Action::Pins { sources: given.sources(), pin, json: given.has("--json") })
    },
};

const HELP: &str = "\
linnet pins: the header as it lies before you, with who has which pin

usage: linnet pins [PIN] [--json]

  PIN              one pin only: GPIO17 (the chip's line) or BOARD11 (the place on the header)
  --json           for scripts
  --data DIR       the node's data folder (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

Colours go to a terminal only, and not where NO_COLOR is set.

examples:
  linnet pins
  linnet pins GPIO17
  linnet pins --json | jq '.[] | select(.state == \"free\")'
";

/// Characters of what is said beside a pin in the drawing.
const NOTE_CHARS: usize = 20;

/// A header to draw: the seam for whoever binds pins by settings.
pub(super) struct Header<'a> {
    /// The board.
    pub board: &'a Board,
    /// Buses that are on.
    pub on: &'a [&'a str],
    /// What the settings bind.
    pub uses: &'a [PinUse],
}

/// Draws the header, or shows one pin; the number is the exit code.
pub(super) fn print(
    here: &Here,
    config: &Config,
    (pin, json): (Option<PinName>, bool),
    streams: &mut Streams<'_>,
) -> io::Result<u8> {
    let found = Standing::of(&here.root, config).found;
    let on = buses_on(&here.root, &found.board);
    // No setting binds a pin yet.
    let header = Header { board: &found.board, on: &on, uses: &[] };
    match header.show(pin, json, here) {
        Ok(text) => streams.out.write_all(text.as_bytes()).map(|()| 0),
        Err(error) => print_failure(&Failure { message: error.to_string(), hint: None }, streams),
    }
}

impl Header<'_> {
    pub(super) fn show(&self, pin: Option<PinName>, json: bool, here: &Here) -> Result<String, PinError> {
        let shown = pin.map(|name| self.board.pin(name)).transpose()?;
        if self.board.header.is_empty() {
            return Err(PinError::NoHeader(self.board.name.clone()));
        }
        Ok(match (shown, json) {
            (Some(pin), true) => line(&self.line(pin)),
            (None, true) => line(&self.board.header.iter().map(|pin| self.line(pin)).collect::<Vec<_>>()),
            (Some(pin), false) => self.one(pin, here.colour),
            (None, false) => self.draw(here),
        })
    }

    /// Two pins a line, or one where there are too few columns.
    fn draw(&self, here: &Here) -> String {
        let cells: Vec<Cell<'_>> = self.board.header.iter().map(|pin| self.cell(pin)).collect();
        let left = cells.iter().step_by(2).map(|cell| cell.note.chars().count()).max().unwrap_or(0);
        let right = cells.iter().skip(1).step_by(2).map(|cell| cell.note.chars().count()).max().unwrap_or(0);
        let wide = left + right + "  GPIO17  11 | 12  GPIO18  ".len() <= here.columns;
        let mut text = String::new();
        for pair in cells.chunks(2) {
            match pair {
                [odd, even] if wide => {
                    let (one, two) = (odd.mirrored(left, here.colour), even.drawn(here.colour));
                    text.push_str(&format!("{one} | {two}"));
                }
                cells => {
                    let lines: Vec<String> = cells.iter().map(|cell| cell.drawn(here.colour)).collect();
                    text.push_str(&lines.join("\n"));
                }
            }
            text.push('\n');
        }
        text.push_str(&self.legend());
        text
    }

    /// What the drawing has no room for.
    fn legend(&self) -> String {
        let names = |pins: &[u8]| pins.iter().map(|bcm| format!("GPIO{bcm}")).collect::<Vec<_>>().join(", ");
        let mut lines = Vec::new();
        for reserved in &self.board.reserved {
            lines.push(format!("kept: {} for {}", names(&reserved.pins), reserved.reason));
        }
        for bus in self.board.buses.iter().filter(|bus| !self.on.contains(&bus.name.as_str())) {
            lines.push(format!("off:  {}; '{}' in config.txt turns it on", bus.name, bus.enable));
        }
        let free = self.board.header.iter().filter(|pin| matches!(self.state(pin), PinState::Free(_)));
        let next =
            free.clone().find_map(|pin| pin.role.bcm()).map(|bcm| format!("; next: linnet pins GPIO{bcm}"));
        lines.push(format!(
            "{}: {} pins are free{}",
            self.board.name,
            free.count(),
            next.unwrap_or_default()
        ));
        format!("\n{}\n", lines.join("\n"))
    }

    fn one(&self, pin: &Pin, colour: bool) -> String {
        let state = self.state(pin);
        let place = format!("pin {} of the header", pin.physical);
        let chip = self.board.gpio_chip.as_deref().unwrap_or_default();
        let line = pin.role.bcm().map(|bcm| format!(", line {bcm} of the chip '{chip}'")).unwrap_or_default();
        let who = state.refusal(pin).map_or_else(|| "free".to_owned(), |refusal| plain(&refusal));
        let mut text = format!("{}   {place}{line}\n{who}\n", paint(&pin.role.to_string(), &state, colour));
        let functions = self.functions(pin);
        if !functions.is_empty() {
            text.push_str(&format!("can be {}\n", functions.join(", ")));
        }
        if let PinState::Free(Some(bus)) = state {
            text.push_str(&format!("{} takes it when '{}' is in config.txt\n", bus.name, bus.enable));
        }
        text
    }

    fn state(&self, pin: &Pin) -> PinState<'_> {
        self.board.state(pin, self.on, self.uses)
    }

    fn functions(&self, pin: &Pin) -> &[String] {
        pin.role.bcm().and_then(|bcm| self.board.functions.get(&bcm)).map_or(&[], Vec::as_slice)
    }

    fn cell(&self, pin: &Pin) -> Cell<'_> {
        let state = self.state(pin);
        let function = self.functions(pin).first().map_or("", String::as_str);
        let note = match state {
            PinState::Fixed(_) => String::new(),
            PinState::Reserved(_) => format!("{function} kept"),
            PinState::Bus(bus) => format!("{} {function}", bus.name),
            PinState::Used(used) => plain(&used.by),
            PinState::Free(_) => function.to_owned(),
        };
        let note = note.trim().chars().take(NOTE_CHARS).collect();
        Cell { physical: pin.physical, role: pin.role, state, note }
    }

    fn line(&self, pin: &Pin) -> PinLine<'_> {
        let (state, by) = match self.state(pin) {
            PinState::Fixed(PinRole::Ground) => ("ground", None),
            PinState::Fixed(_) => ("power", None),
            PinState::Reserved(reason) => ("reserved", Some(reason)),
            PinState::Bus(bus) => ("bus", Some(bus.name.as_str())),
            PinState::Used(used) => ("used", Some(used.by.as_str())),
            PinState::Free(_) => ("free", None),
        };
        let (name, functions) = (pin.role.to_string(), self.functions(pin));
        PinLine { pin: pin.physical, name, bcm: pin.role.bcm(), state, by, functions }
    }
}

/// One pin in the drawing.
struct Cell<'a> {
    physical: u8,
    role: PinRole,
    state: PinState<'a>,
    note: String,
}

impl Cell<'_> {
    /// `11  GPIO17  SPI1 CE1`
    fn drawn(&self, colour: bool) -> String {
        let name = format!("{:<6}", self.role.to_string());
        let said = format!("{name}  {}", self.note);
        format!("{:<2}  {}", self.physical, paint(said.trim_end(), &self.state, colour))
    }

    /// The same from right to left, for the column of odd pins.
    fn mirrored(&self, note_chars: usize, colour: bool) -> String {
        let said = format!("{:>note_chars$}  {:>6}", self.note, self.role.to_string());
        let indent = said.len() - said.trim_start().len();
        format!("{}{}  {:>2}", &said[..indent], paint(&said[indent..], &self.state, colour), self.physical)
    }
}

fn paint(text: &str, state: &PinState<'_>, colour: bool) -> String {
    let code = match state {
        PinState::Fixed(PinRole::Ground) => "2",
        PinState::Fixed(_) => "31",
        PinState::Reserved(_) => "35",
        PinState::Bus(_) => "33",
        PinState::Used(_) => "1;36",
        PinState::Free(_) => "32",
    };
    if colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// One pin for a script.
#[derive(Serialize)]
struct PinLine<'a> {
    pin: u8,
    name: String,
    bcm: Option<u8>,
    state: &'a str,
    by: Option<&'a str>,
    functions: &'a [String],
}

fn line(value: &impl Serialize) -> String {
    format!("{}\n", serde_json::to_string(value).expect("it has no keys but texts"))
}

#[cfg(test)]
mod tests;
