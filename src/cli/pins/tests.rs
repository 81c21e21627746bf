//! The drawing as it is seen, in colour and narrow, and what the command refuses.

use super::*;
use std::path::PathBuf;

/// The header of a Pi Zero with one bus on and two pins in use; names come from the settings and steer no terminal.
const DRAWN: &str = "
                3V3   1 | 2   5V
 i2c-1 SDA1   GPIO2   3 | 4   5V
 i2c-1 SCL1   GPIO3   5 | 6   GND
     GPCLK0   GPIO4   7 | 8   GPIO14  TXD0
                GND   9 | 10  GPIO15  RXD0
button door  GPIO17  11 | 12  GPIO18  output \u{fffd}[2Jpump of t
             GPIO27  13 | 14  GND
             GPIO22  15 | 16  GPIO23
                3V3  17 | 18  GPIO24
  SPI0 MOSI  GPIO10  19 | 20  GND
  SPI0 MISO   GPIO9  21 | 22  GPIO25
  SPI0 SCLK  GPIO11  23 | 24  GPIO8   SPI0 CE0
                GND  25 | 26  GPIO7   SPI0 CE1
 ID_SD kept   GPIO0  27 | 28  GPIO1   ID_SC kept
     GPCLK1   GPIO5  29 | 30  GND
     GPCLK2   GPIO6  31 | 32  GPIO12  PWM0
       PWM1  GPIO13  33 | 34  GND
     PCM FS  GPIO19  35 | 36  GPIO16  SPI1 CE2
             GPIO26  37 | 38  GPIO20  PCM DIN
                GND  39 | 40  GPIO21  PCM DOUT

kept: GPIO0, GPIO1 for the ID EEPROM of add-on boards
off:  1-wire; 'dtoverlay=w1-gpio' in config.txt turns it on
off:  spi0; 'dtparam=spi=on' in config.txt turns it on
off:  uart; 'enable_uart=1' in config.txt turns it on
pi-zero: 22 pins are free; next: linnet pins GPIO4
";

fn here(columns: usize, colour: bool) -> Here {
    Here { root: PathBuf::from("/nowhere"), colour, columns }
}

fn show(board: &str, pin: Option<&str>, json: bool, here: &Here) -> Result<String, PinError> {
    let board = Board::named(board).expect(board);
    let pump = "output \u{1b}[2Jpump of the well";
    let uses = [PinUse { bcm: 17, by: "button door".into() }, PinUse { bcm: 18, by: pump.into() }];
    let header = Header { board: &board, on: &["i2c-1"], uses: &uses };
    header.show(pin.map(|pin| PinName::parse(pin).expect(pin)), json, here)
}

fn drawn(board: &str, here: &Here) -> String {
    show(board, None, false, here).expect("it has a header")
}

/// As a terminal shows it.
fn without_colour(text: &str) -> String {
    let mut pieces = text.split('\u{1b}');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + piece.split_once('m').expect("a colour ends").1)
}

#[test]
fn the_header_is_drawn_with_who_has_which_pin() {
    assert_eq!(format!("\n{}", drawn("pi-zero", &here(80, false))), DRAWN);
}

#[test]
fn every_board_is_drawn_with_all_its_pins() {
    for name in Board::names().filter(|name| *name != "generic") {
        let pins = Board::named(name).expect(name).header.len();
        let text = drawn(name, &here(80, false));
        let lines: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
        assert_eq!(lines.len(), pins / 2, "{name}");
        assert!(lines.iter().all(|line| line.chars().count() <= 80 && line.contains(" | ")), "{name}");
    }
}

#[test]
fn colours_change_nothing_but_the_colour() {
    let coloured = drawn("pi-zero", &here(80, true));
    assert!(coloured.contains("\u{1b}[1;36mbutton door  GPIO17\u{1b}[0m"), "{coloured:?}");
    assert!(coloured.contains("\u{1b}[31m3V3\u{1b}[0m") && coloured.contains("\u{1b}[32mGPIO22\u{1b}[0m"));
    assert!(coloured.contains("\u{1b}[33mi2c-1 SDA1") && coloured.contains("\u{1b}[35mID_SD kept"));
    assert_eq!(without_colour(&coloured), drawn("pi-zero", &here(80, false)));
    assert!(!drawn("pi-zero", &here(80, false)).contains('\u{1b}'));
}

#[test]
fn a_narrow_terminal_gets_one_pin_a_line() {
    let text = drawn("pi-zero", &here(40, false));
    let lines: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 40);
    assert_eq!(lines[..3], ["1   3V3", "2   5V", "3   GPIO2   i2c-1 SDA1"]);
    assert!(lines.iter().all(|line| line.chars().count() <= 40));
}

#[test]
fn one_pin_is_shown_by_either_name() {
    let one = |pin| show("pi-zero", Some(pin), false, &here(80, false)).expect(pin);
    let free = "GPIO4   pin 7 of the header, line 4 of the chip 'pinctrl-bcm2835'\nfree\ncan be GPCLK0\n1-wire takes it when \
                'dtoverlay=w1-gpio' is in config.txt\n";
    assert_eq!((one("GPIO4").as_str(), one("BOARD7").as_str()), (free, free));
    assert!(one("GPIO17").contains("GPIO17 is used by button door already"));
    assert!(one("BOARD3").contains("GPIO2 is taken by i2c-1, which is on"));
    assert_eq!(one("BOARD6"), "GND   pin 6 of the header\nBOARD6 is GND: choose a GPIO pin\n");
    let missing = |pin| show("pi-1", Some(pin), false, &here(80, false)).expect_err(pin);
    assert_eq!(
        (missing("GPIO26"), missing("BOARD27")),
        (PinError::NoSuchLine(26), PinError::NoSuchPlace(27, 26))
    );
}

#[test]
fn a_script_gets_every_pin() {
    let json = show("pi-zero", None, true, &here(80, true)).expect("it has a header");
    let pins: Vec<serde_json::Value> = serde_json::from_str(&json).expect("JSON");
    assert_eq!(pins.len(), 40);
    let states: Vec<&str> = pins.iter().filter_map(|pin| pin["state"].as_str()).collect();
    let many = |state| states.iter().filter(|found| **found == state).count();
    assert_eq!((many("free"), many("used"), many("bus"), many("reserved")), (22, 2, 2, 2));
    assert_eq!((many("ground"), many("power")), (8, 4));
    assert_eq!(
        pins[10],
        serde_json::json!({
            "pin": 11, "name": "GPIO17", "bcm": 17, "state": "used", "by": "button door",
            "functions": ["SPI1 CE1"],
        })
    );
    let one = show("pi-zero", Some("BOARD11"), true, &here(80, true)).expect("it has this pin");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&one).expect("JSON"), pins[10]);
}

#[test]
fn a_board_without_a_header_is_told() {
    let error = show("generic", None, false, &here(80, false)).expect_err("it has none");
    assert_eq!(error, PinError::NoHeader("generic".into()));
}
