//! Boards: what linnet knows of the hardware it may find itself on, read from `boards/*.toml`.
//!
//! A board is data. Nothing here opens a device or asks which board this is: the GPIO door does.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;

/// Pins of the header that every board of this family carries.
pub const HEADER_PINS: u8 = 40;

/// The highest BCM number that leads to the header; the lines above it serve the board itself.
pub const BCM_MAX: u8 = 27;

/// Every file of `boards/`, by name, inside the binary.
const FILES: [(&str, &str); 2] = [
    ("boards/sim.toml", include_str!("../../boards/sim.toml")),
    ("boards/pi-zero.toml", include_str!("../../boards/pi-zero.toml")),
];

static BOARDS: LazyLock<Vec<Board>> = LazyLock::new(|| {
    let parsed = FILES.iter().map(|(file, text)| match Board::parse(text) {
        Ok(board) => board,
        Err(error) => panic!("{file} is part of the binary and does not parse: {error}"),
    });
    parsed.collect()
});

/// One kind of board: its header, what is taken, and how much of it linnet may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// The short name, as the file is called.
    pub name: String,
    /// The models of this kind, as the GPIO library names them; empty for the simulated board.
    pub models: Vec<String>,
    /// The Rust target its binary is built for, or `host`.
    pub target: String,
    /// The label of the chip its pins hang on.
    pub gpio_chip: String,
    /// What linnet may use of its memory, in MiB.
    pub memory_mib: u32,
    /// The header, physical pin 1 first.
    pub header: Vec<Pin>,
    /// Pins that are never driven, and why.
    pub reserved: Vec<Reserved>,
    /// Pins that a bus takes while it is on.
    pub buses: Vec<Bus>,
}

/// One pin of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// Its place on the header, 1 to 40.
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
}

/// Why a board file was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BoardError {
    /// Not the TOML of a board: the reader's own words, with the line.
    Toml(String),
    /// The header does not have its 40 pins: how many it has.
    HeaderPins(usize),
    /// Neither `3V3`, `5V`, `GND` nor `GPIO0` to `GPIO27`.
    UnknownPin(String),
    /// This BCM number lies on two pins, or is named twice by one kind of list.
    TwicePinned(u8),
    /// A list names this BCM number, which the header does not have.
    NotOnHeader(u8),
}

impl Board {
    /// Every board linnet knows, the simulated one first.
    pub fn all() -> &'static [Board] {
        &BOARDS
    }

    /// The board of this model, named as the GPIO library names it.
    pub fn find(model: &str) -> Option<&'static Board> {
        Board::all().iter().find(|board| board.models.iter().any(|known| known == model))
    }

    /// The board that is taken where no hardware is found.
    pub fn sim() -> &'static Board {
        &Board::all()[0]
    }

    /// Reads one board file.
    pub fn parse(text: &str) -> Result<Board, BoardError> {
        let file: BoardFile = toml::from_str(text).map_err(|error| BoardError::Toml(error.to_string()))?;
        let header = header(&file.header)?;
        let lines = unique(header.iter().filter_map(|pin| pin.role.bcm()))?;
        let reserved = file.reserved.into_iter().map(Reserved::parse).collect::<Result<Vec<_>, _>>()?;
        let buses = file.bus.into_iter().map(Bus::parse).collect::<Result<Vec<_>, _>>()?;
        let on_reserved = unique(reserved.iter().flat_map(|reserved| reserved.pins.iter().copied()))?;
        let on_buses = unique(buses.iter().flat_map(|bus| bus.pins.iter().copied()))?;
        if let Some(stray) = on_reserved.union(&on_buses).find(|bcm| !lines.contains(bcm)) {
            return Err(BoardError::NotOnHeader(*stray));
        }
        Ok(Board {
            name: file.name,
            models: file.models,
            target: file.target,
            gpio_chip: file.gpio_chip,
            memory_mib: file.memory_mib,
            header,
            reserved,
            buses,
        })
    }
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
            BoardError::HeaderPins(pins) => write!(f, "the header has {pins} pins, not {HEADER_PINS}"),
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
        Ok(Bus { name: file.name, pins: bcms(&file.pins)?, enable: file.enable })
    }
}

/// The file as it is written; `Board` is what it means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BoardFile {
    name: String,
    models: Vec<String>,
    target: String,
    gpio_chip: String,
    memory_mib: u32,
    header: Vec<[String; 2]>,
    #[serde(default)]
    reserved: Vec<ReservedFile>,
    #[serde(default)]
    bus: Vec<BusFile>,
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
}

fn header(rows: &[[String; 2]]) -> Result<Vec<Pin>, BoardError> {
    let pins = rows.iter().flatten();
    if pins.clone().count() != usize::from(HEADER_PINS) {
        return Err(BoardError::HeaderPins(pins.count()));
    }
    (1..=HEADER_PINS)
        .zip(pins)
        .map(|(physical, text)| Ok(Pin { physical, role: PinRole::parse(text)? }))
        .collect()
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
mod tests {
    use super::*;

    const PI_ZERO: &str = FILES[1].1;

    fn check(from: &str, to: &str) -> BoardError {
        assert!(PI_ZERO.contains(from), "the case must change something: {from}");
        Board::parse(&PI_ZERO.replacen(from, to, 1)).expect_err("a broken board file was accepted")
    }

    fn place(board: &Board, bcm: u8) -> u8 {
        let pin = board.header.iter().find(|pin| pin.role == PinRole::Gpio(bcm));
        pin.expect("every line lies on the header").physical
    }

    #[test]
    fn every_board_file_is_whole() {
        for ((file, _), board) in FILES.iter().zip(Board::all()) {
            assert_eq!(*file, format!("boards/{}.toml", board.name));
            let places: Vec<u8> = board.header.iter().map(|pin| pin.physical).collect();
            assert_eq!(places, (1..=HEADER_PINS).collect::<Vec<u8>>(), "{file}");
            let lines: BTreeSet<u8> = board.header.iter().filter_map(|pin| pin.role.bcm()).collect();
            assert_eq!(lines, (0..=BCM_MAX).collect::<BTreeSet<u8>>(), "{file}");
            assert!(board.memory_mib > 0, "{file}");
        }
    }

    #[test]
    fn the_header_is_that_of_a_pi() {
        // Places every wiring guide agrees on.
        let board = Board::find("Raspberry Pi Zero").expect("the Pi Zero is known");
        for (bcm, physical) in
            [(2, 3), (3, 5), (4, 7), (14, 8), (15, 10), (17, 11), (18, 12), (21, 40), (26, 37)]
        {
            assert_eq!(place(board, bcm), physical, "GPIO{bcm}");
        }
        assert_eq!(board.header[0].role, PinRole::Power3v3);
        assert_eq!(board.header[1].role, PinRole::Power5v);
        assert_eq!(board.header[38].role, PinRole::Ground);
    }

    #[test]
    fn a_board_is_found_by_its_model_alone() {
        assert_eq!(Board::find("Raspberry Pi Zero W").map(|board| board.name.as_str()), Some("pi-zero"));
        assert_eq!(Board::find("Raspberry Pi Zero W").map(|board| board.memory_mib), Some(64));
        assert_eq!(Board::find("sim"), None);
        assert_eq!(Board::find(""), None);
        assert_eq!(Board::sim().name, "sim");
    }

    #[test]
    fn no_model_belongs_to_two_boards() {
        let models: Vec<&String> = Board::all().iter().flat_map(|board| &board.models).collect();
        let distinct: BTreeSet<&String> = models.iter().copied().collect();
        assert_eq!(models.len(), distinct.len());
    }

    #[test]
    fn a_broken_board_file_says_what_is_wrong() {
        assert_eq!(check("\"GPIO3\", ", "\"GPIO2\", "), BoardError::TwicePinned(2));
        assert_eq!(check("GPIO17", "GPIO28"), BoardError::UnknownPin("GPIO28".into()));
        assert_eq!(check("GPIO17", "17"), BoardError::UnknownPin("17".into()));
        assert_eq!(check("GPIO17", "GPIO+7"), BoardError::UnknownPin("GPIO+7".into()));
        assert_eq!(check("[\"GND\",    \"GPIO21\"],", ""), BoardError::HeaderPins(38));
        assert_eq!(check("\"GPIO4\",  \"GPIO14\"", "\"GND\",  \"GPIO14\""), BoardError::NotOnHeader(4));
        assert_eq!(check("pins = [\"GPIO4\"]", "pins = [\"GPIO2\"]"), BoardError::TwicePinned(2));
    }

    #[test]
    fn a_misspelt_key_is_refused_with_its_line() {
        let BoardError::Toml(words) = check("memory_mib", "memory_mb") else { panic!("not refused as TOML") };
        assert!(words.contains("line 10") && words.contains("memory_mb"), "{words}");
    }
}
