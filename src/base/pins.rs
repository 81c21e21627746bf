//! Pins as people name them, and who has them: the header itself, a bus, or something that the settings bind to them.

use crate::base::board::{Board, Bus, Pin, PinRole};
use std::fmt;

/// A pin as a person wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinName {
    /// `GPIO17`: a line of the chip, by its BCM number.
    Gpio(u8),
    /// `BOARD11`: a place on the header.
    Board(u8),
}

/// Why a text names no pin, or no pin of this board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinError {
    /// A number alone: it could be a line or a place.
    Bare(u8),
    /// No name of a pin.
    Unknown(String),
    /// The header does not have this line.
    NoSuchLine(u8),
    /// The header has only so many pins.
    NoSuchPlace(u8, usize),
    /// The board has no header that linnet knows.
    NoHeader(String),
}

/// Something that the settings bind to a pin: whoever drives or reads pins lists these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinUse {
    /// The line.
    pub bcm: u8,
    /// What it is for people: `button door`, `output pump`.
    pub by: String,
}

/// Who has a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinState<'a> {
    /// It is no line of the chip.
    Fixed(PinRole),
    /// It is never driven.
    Reserved(&'a str),
    /// A bus that is on has it.
    Bus(&'a Bus),
    /// The settings bind it.
    Used(&'a PinUse),
    /// Nobody has it; a bus could.
    Free(Option<&'a Bus>),
}

impl PinName {
    /// Reads `GPIO17` or `BOARD11`, in letters of either size.
    pub fn parse(text: &str) -> Result<PinName, PinError> {
        let text = text.trim();
        let unknown = || PinError::Unknown(text.chars().take(24).collect());
        if let Some(number) = plain_number(text) {
            return Err(PinError::Bare(number));
        }
        let upper = text.to_ascii_uppercase();
        let number = |prefix: &str| upper.strip_prefix(prefix).and_then(plain_number);
        let name = number("GPIO").map(PinName::Gpio).or(number("BOARD").map(PinName::Board));
        name.ok_or_else(unknown)
    }
}

/// Digits without a sign and without zeros in front.
fn plain_number(text: &str) -> Option<u8> {
    text.parse::<u8>().ok().filter(|number| number.to_string() == text)
}

impl Board {
    /// The pin of that name on this board's header.
    pub fn pin(&self, name: PinName) -> Result<&Pin, PinError> {
        if self.header.is_empty() {
            return Err(PinError::NoHeader(self.name.clone()));
        }
        match name {
            PinName::Gpio(bcm) => {
                let pin = self.header.iter().find(|pin| pin.role == PinRole::Gpio(bcm));
                pin.ok_or(PinError::NoSuchLine(bcm))
            }
            PinName::Board(place) => {
                let pin = self.header.iter().find(|pin| pin.physical == place);
                pin.ok_or(PinError::NoSuchPlace(place, self.header.len()))
            }
        }
    }

    /// Who has a pin, with these buses on and these uses in the settings.
    pub fn state<'a>(&'a self, pin: &Pin, buses_on: &[&str], uses: &'a [PinUse]) -> PinState<'a> {
        let PinRole::Gpio(bcm) = pin.role else { return PinState::Fixed(pin.role) };
        if let Some(reserved) = self.reserved.iter().find(|reserved| reserved.pins.contains(&bcm)) {
            return PinState::Reserved(&reserved.reason);
        }
        let bus = self.buses.iter().find(|bus| bus.pins.contains(&bcm));
        let used = uses.iter().find(|used| used.bcm == bcm);
        match (bus, used) {
            (Some(bus), _) if buses_on.contains(&bus.name.as_str()) => PinState::Bus(bus),
            (_, Some(used)) => PinState::Used(used),
            (bus, None) => PinState::Free(bus),
        }
    }
}

impl PinState<'_> {
    /// Why this pin cannot be had, and what to do; `None` for a free one.
    pub fn refusal(&self, pin: &Pin) -> Option<String> {
        let place = pin.physical;
        match self {
            PinState::Fixed(role) => Some(format!("BOARD{place} is {role}: choose a GPIO pin")),
            PinState::Reserved(reason) => {
                Some(format!("{} is kept for {reason}: choose another pin", pin.role))
            }
            PinState::Bus(bus) => Some(format!(
                "{} is taken by {}, which is on: choose another pin, or remove '{}' from config.txt",
                pin.role, bus.name, bus.enable
            )),
            PinState::Used(used) => Some(format!("{} is used by {} already", pin.role, used.by)),
            PinState::Free(_) => None,
        }
    }
}

impl fmt::Display for PinRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PinRole::Power3v3 => write!(f, "3V3"),
            PinRole::Power5v => write!(f, "5V"),
            PinRole::Ground => write!(f, "GND"),
            PinRole::Gpio(bcm) => write!(f, "GPIO{bcm}"),
        }
    }
}

impl fmt::Display for PinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PinError::Bare(number) => write!(
                f,
                "'{number}' could mean two pins: write GPIO{number} for the chip's line {number}, or BOARD{number} \
                 for pin {number} of the header"
            ),
            PinError::Unknown(text) => write!(
                f,
                "'{}' is no pin: write GPIO17 (the chip's line) or BOARD11 (the place on the header)",
                text.escape_debug()
            ),
            PinError::NoSuchLine(bcm) => {
                write!(f, "GPIO{bcm} is not on this header: choose a line that 'linnet pins' shows")
            }
            PinError::NoSuchPlace(place, pins) => {
                write!(f, "BOARD{place} is not on this header: it has pins 1 to {pins}")
            }
            PinError::NoHeader(board) => write!(
                f,
                "the board '{board}' has no header that linnet knows: set board = \"pi-zero-w\" or whatever it is"
            ),
        }
    }
}

impl std::error::Error for PinError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn zero() -> Board {
        Board::named("pi-zero").expect("the Pi Zero is known")
    }

    fn refused(text: &str) -> String {
        let board = zero();
        let error = PinName::parse(text).and_then(|name| board.pin(name).copied());
        error.expect_err("a name of no pin was taken").to_string()
    }

    #[test]
    fn a_pin_is_named_by_its_line_or_its_place() {
        let board = zero();
        let at = |text: &str| board.pin(PinName::parse(text).expect(text)).expect(text).physical;
        for (text, place) in [("GPIO17", 11), ("BOARD11", 11), (" gpio4 ", 7), ("board1", 1), ("BOARD40", 40)]
        {
            assert_eq!(at(text), place, "{text}");
        }
    }

    #[test]
    fn a_bare_number_is_refused_with_a_hint() {
        assert_eq!(
            refused("17"),
            "'17' could mean two pins: write GPIO17 for the chip's line 17, or BOARD17 for pin 17 of the header"
        );
    }

    #[test]
    fn what_is_no_pin_is_refused_with_the_way_to_write_one() {
        for text in ["BCM17", "GPIO", "GPIO+7", "GPIO017", "GPIO256", "P1-11", "", "GPIO 17", "٣"] {
            assert!(refused(text).contains("is no pin: write GPIO17"), "{text}: {}", refused(text));
        }
        assert_eq!(refused("GPIO28"), "GPIO28 is not on this header: choose a line that 'linnet pins' shows");
        assert_eq!(refused("BOARD41"), "BOARD41 is not on this header: it has pins 1 to 40");
        assert!(refused("BOARD0").contains("pins 1 to 40"));
        assert!(!refused("\u{1b}[2J").contains('\u{1b}'));
        let generic = Board::named("generic").expect("it is known");
        let error = generic.pin(PinName::Gpio(17)).expect_err("it has no header").to_string();
        assert!(error.contains("'generic' has no header"), "{error}");
    }

    #[test]
    fn a_pin_that_somebody_has_is_refused_with_the_reason() {
        let board = zero();
        let uses =
            [PinUse { bcm: 17, by: "button door".into() }, PinUse { bcm: 2, by: "output pump".into() }];
        let check = |name, on: &[&str], expected: Option<&str>| {
            let pin = board.pin(name).expect("it is on the header");
            assert_eq!(board.state(pin, on, &uses).refusal(pin).as_deref(), expected, "{name:?}");
        };
        let taken = "GPIO2 is taken by i2c-1, which is on: choose another pin, or remove 'dtparam=i2c_arm=on' from \
                     config.txt";
        check(PinName::Gpio(2), &["spi0", "i2c-1"], Some(taken));
        check(PinName::Gpio(2), &[], Some("GPIO2 is used by output pump already"));
        check(PinName::Gpio(3), &["spi0"], None);
        check(PinName::Gpio(17), &["i2c-1"], Some("GPIO17 is used by button door already"));
        check(PinName::Gpio(27), &["i2c-1"], None);
        check(PinName::Board(1), &[], Some("BOARD1 is 3V3: choose a GPIO pin"));
        let eeprom = "GPIO0 is kept for the ID EEPROM of add-on boards: choose another pin";
        check(PinName::Gpio(0), &[], Some(eeprom));
    }
}
