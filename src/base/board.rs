//! Boards: what linnet knows of the hardware it may find itself on, read from `boards/*.toml`.
//!
//! A board is data: a new one is a file and its line below. Nothing here opens a device or asks which board this is: the
//! GPIO door does. Files are read when a board is asked for and nothing is kept of the others.

use crate::base::budget::Share;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The highest BCM number that leads to a header; the lines above it serve the board itself.
pub const BCM_MAX: u8 = 27;

/// Every board, by name, inside the binary.
const BOARDS: &[(&str, &str)] = &[
    ("generic", include_str!("../../boards/generic.toml")),
    ("sim", include_str!("../../boards/sim.toml")),
    ("pi-zero", include_str!("../../boards/pi-zero.toml")),
    ("pi-zero-w", include_str!("../../boards/pi-zero-w.toml")),
    ("pi-zero-2-w", include_str!("../../boards/pi-zero-2-w.toml")),
    ("pi-1-rev-1", include_str!("../../boards/pi-1-rev-1.toml")),
    ("pi-1", include_str!("../../boards/pi-1.toml")),
    ("pi-1-plus", include_str!("../../boards/pi-1-plus.toml")),
    ("pi-2", include_str!("../../boards/pi-2.toml")),
    ("pi-3", include_str!("../../boards/pi-3.toml")),
    ("pi-4", include_str!("../../boards/pi-4.toml")),
    ("pi-5", include_str!("../../boards/pi-5.toml")),
    ("cm4", include_str!("../../boards/cm4.toml")),
];

/// The headers that boards share, by name.
const HEADERS: &[(&str, &str)] = &[
    ("header-40", include_str!("../../boards/header-40.toml")),
    ("header-26", include_str!("../../boards/header-26.toml")),
    ("header-26-rev-1", include_str!("../../boards/header-26-rev-1.toml")),
];

/// One kind of board: its header, what is taken, and how much of it linnet may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// The short name, as the file is called.
    pub name: String,
    /// The models of this kind, as the device tree names them, without the revision; empty where none is found by one.
    pub models: Vec<String>,
    /// The Rust target its binary is built for, or `host`.
    pub target: String,
    /// The label of the chip its pins hang on, where it has pins.
    pub gpio_chip: Option<String>,
    /// What linnet may use of it.
    pub share: Share,
    /// The header, physical pin 1 first; empty where there is none that linnet knows.
    pub header: Vec<Pin>,
    /// What else each line can do, by BCM number.
    pub functions: BTreeMap<u8, Vec<String>>,
    /// Pins that are never driven, and why.
    pub reserved: Vec<Reserved>,
    /// Pins that a bus takes while it is on.
    pub buses: Vec<Bus>,
}

/// One pin of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// Its place on the header, from 1.
    pub physical: u8,
    /// What it leads to.
    pub role: PinRole,
}

/// What a pin of the header leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PinRole {
    /// 3.3 volt supply.
    Power3v3,
    /// 5 volt supply.
    Power5v,
    /// Ground.
    Ground,
    /// A line of the chip, by its BCM number.
    Gpio(u8),
}

/// Pins that linnet never drives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// BCM numbers.
    pub pins: Vec<u8>,
    /// What they are for.
    pub reason: String,
}

/// A bus and the pins it takes while it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bus {
    /// Its usual name: `i2c-1`, `spi0`.
    pub name: String,
    /// BCM numbers.
    pub pins: Vec<u8>,
    /// The line of `config.txt` that turns it on.
    pub enable: String,
    /// What is there while it is on.
    pub path: String,
}

/// Why a board file was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BoardError {
    /// Not the TOML of a board: the reader's own words, with the line.
    Toml(String),
    /// No file describes a header of this name.
    NoSuchHeader(String),
    /// Neither `3V3`, `5V`, `GND` nor `GPIO0` to `GPIO27`.
    UnknownPin(String),
    /// This BCM number lies on two pins, or is named twice by one kind of list.
    TwicePinned(u8),
    /// A list names this BCM number, which the header does not have.
    NotOnHeader(u8),
}

impl Board {
    /// The names of all boards.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BOARDS.iter().map(|(name, _)| *name)
    }

    /// The board of that name.
    pub fn named(name: &str) -> Option<Board> {
        BOARDS.iter().find(|(known, _)| *known == name).map(|(name, text)| known(name, text))
    }

    /// The board of this model, as the device tree names it: `Raspberry Pi Zero W Rev 1.1`.
    pub fn of_model(model: &str) -> Option<Board> {
        let fits = |board: &Board| board.models.iter().filter_map(|name| fit(name, model)).max();
        let boards = BOARDS.iter().map(|(name, text)| known(name, text));
        let fitting = boards.filter_map(|board| fits(&board).map(|length| (length, board)));
        fitting.max_by_key(|(length, _)| *length).map(|(_, board)| board)
    }

    /// The board that is taken where no other fits.
    pub fn generic() -> Board {
        Board::named("generic").expect("a file of the binary describes it")
    }

    /// Reads one board file.
    pub fn parse(text: &str) -> Result<Board, BoardError> {
        let file: BoardFile = read(text)?;
        let mut shared = match &file.header {
            Some(name) => {
                let (_, text) = HEADERS
                    .iter()
                    .find(|(known, _)| known == name)
                    .ok_or_else(|| BoardError::NoSuchHeader(name.clone()))?;
                read(text)?
            }
            None => HeaderFile::default(),
        };
        // What the board says itself goes before what its header says.
        shared.bus.retain(|bus| file.bus.iter().all(|own| own.name != bus.name));
        shared.bus.extend(file.bus);
        for (pin, more) in file.functions {
            shared.functions.entry(pin).or_default().extend(more);
        }
        let header = header(&shared.pins)?;
        let lines = unique(header.iter().filter_map(|pin| pin.role.bcm()))?;
        let reserved = shared.reserved.into_iter().map(Reserved::parse).collect::<Result<Vec<_>, _>>()?;
        let buses = shared.bus.into_iter().map(Bus::parse).collect::<Result<Vec<_>, _>>()?;
        let functions = shared.functions.into_iter().map(|(pin, can)| Ok((bcm(&pin)?, can)));
        let functions = functions.collect::<Result<BTreeMap<_, _>, _>>()?;
        let named = [
            unique(reserved.iter().flat_map(|reserved| reserved.pins.iter().copied()))?,
            unique(buses.iter().flat_map(|bus| bus.pins.iter().copied()))?,
            functions.keys().copied().collect(),
        ];
        if let Some(stray) = named.iter().flatten().find(|bcm| !lines.contains(bcm)) {
            return Err(BoardError::NotOnHeader(*stray));
        }
        let share = file.budget.share();
        let BoardFile { name, models, target, gpio_chip, .. } = file;
        Ok(Board { name, models, target, gpio_chip, share, header, functions, reserved, buses })
    }
}

/// Reads a board that is part of the binary.
fn known(name: &str, text: &str) -> Board {
    match Board::parse(text) {
        Ok(board) => board,
        Err(error) => panic!("boards/{name}.toml is part of the binary and cannot be read: {error}"),
    }
}

/// How well a name fits a model: it begins it, and only a revision may follow. A `Zero 3` is no `Zero`.
fn fit(name: &str, model: &str) -> Option<usize> {
    let rest = model.strip_prefix(name)?;
    let revision = rest.strip_prefix(" Rev ").or_else(|| rest.strip_prefix(" rev "));
    (rest.is_empty() || revision.is_some()).then_some(name.len())
}

impl PinRole {
    /// The BCM number, for a pin that is a line of the chip.
    pub fn bcm(self) -> Option<u8> {
        match self {
            PinRole::Gpio(bcm) => Some(bcm),
            PinRole::Power3v3 | PinRole::Power5v | PinRole::Ground => None,
        }
    }

    fn parse(text: &str) -> Result<PinRole, BoardError> {
        match text {
            "3V3" => Ok(PinRole::Power3v3),
            "5V" => Ok(PinRole::Power5v),
            "GND" => Ok(PinRole::Ground),
            _ => Ok(PinRole::Gpio(bcm(text)?)),
        }
    }
}

impl fmt::Display for BoardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BoardError::Toml(error) => write!(f, "{error}"),
            BoardError::NoSuchHeader(name) => write!(f, "no file of boards/ describes the header '{name}'"),
            BoardError::UnknownPin(pin) => {
                write!(f, "pin '{pin}' is unknown: write 3V3, 5V, GND or GPIO0 to GPIO{BCM_MAX}")
            }
            BoardError::TwicePinned(bcm) => write!(f, "GPIO{bcm} is named twice"),
            BoardError::NotOnHeader(bcm) => write!(f, "GPIO{bcm} is not on this header"),
        }
    }
}

impl std::error::Error for BoardError {}

impl Reserved {
    fn parse(file: ReservedFile) -> Result<Reserved, BoardError> {
        Ok(Reserved { pins: bcms(&file.pins)?, reason: file.reason })
    }
}

impl Bus {
    fn parse(file: BusFile) -> Result<Bus, BoardError> {
        Ok(Bus { name: file.name, pins: bcms(&file.pins)?, enable: file.enable, path: file.path })
    }
}

/// The file as it is written; `Board` is what it means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BoardFile {
    name: String,
    models: Vec<String>,
    target: String,
    gpio_chip: Option<String>,
    header: Option<String>,
    budget: BudgetFile,
    #[serde(default)]
    bus: Vec<BusFile>,
    #[serde(default)]
    functions: BTreeMap<String, Vec<String>>,
}

/// What boards share.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderFile {
    pins: Vec<[String; 2]>,
    #[serde(default)]
    reserved: Vec<ReservedFile>,
    #[serde(default)]
    bus: Vec<BusFile>,
    #[serde(default)]
    functions: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetFile {
    memory_mib: u32,
    cache_kib: Option<u32>,
    sessions: Option<u32>,
    connections: Option<u32>,
    hashers: Option<u32>,
}

impl BudgetFile {
    fn share(&self) -> Share {
        let BudgetFile { memory_mib, cache_kib, sessions, connections, hashers } = *self;
        Share { memory_mib, cache_kib, sessions, connections, hashers }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReservedFile {
    pins: Vec<String>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BusFile {
    name: String,
    pins: Vec<String>,
    enable: String,
    path: String,
}

fn read<T: for<'a> Deserialize<'a>>(text: &str) -> Result<T, BoardError> {
    toml::from_str(text).map_err(|error| BoardError::Toml(error.to_string()))
}

fn header(rows: &[[String; 2]]) -> Result<Vec<Pin>, BoardError> {
    let pins = (1..=u8::MAX).zip(rows.iter().flatten());
    pins.map(|(physical, text)| Ok(Pin { physical, role: PinRole::parse(text)? })).collect()
}

fn bcms(pins: &[String]) -> Result<Vec<u8>, BoardError> {
    pins.iter().map(|pin| bcm(pin)).collect()
}

fn bcm(text: &str) -> Result<u8, BoardError> {
    let number = text.strip_prefix("GPIO").and_then(|digits| digits.parse().ok());
    // Written back to compare: "GPIO+4" and "GPIO04" parse as numbers and are no names of pins.
    number
        .filter(|bcm| *bcm <= BCM_MAX && format!("GPIO{bcm}") == text)
        .ok_or_else(|| BoardError::UnknownPin(text.to_owned()))
}

fn unique(bcms: impl Iterator<Item = u8>) -> Result<BTreeSet<u8>, BoardError> {
    let mut seen = BTreeSet::new();
    for bcm in bcms {
        if !seen.insert(bcm) {
            return Err(BoardError::TwicePinned(bcm));
        }
    }
    Ok(seen)
}

#[cfg(test)]
mod tests;
