//! Every board file is read, every real model finds its board, and a broken file says what is wrong.

use super::*;

fn text(name: &str) -> &'static str {
    BOARDS.iter().find(|(known, _)| *known == name).expect("the board is known").1
}

fn check(board: &str, from: &str, to: &str) -> BoardError {
    assert!(text(board).contains(from), "the case must change something: {from}");
    Board::parse(&text(board).replacen(from, to, 1)).expect_err("a broken board file was accepted")
}

fn place(board: &Board, bcm: u8) -> Option<u8> {
    board.header.iter().find(|pin| pin.role == PinRole::Gpio(bcm)).map(|pin| pin.physical)
}

#[test]
fn every_board_file_is_whole() {
    for (name, text) in BOARDS {
        let board = Board::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(board.name, *name);
        let places: Vec<u8> = board.header.iter().map(|pin| pin.physical).collect();
        assert_eq!(places, (1..=places.len() as u8).collect::<Vec<u8>>(), "{name}");
        assert_eq!(board.header.is_empty(), board.gpio_chip.is_none(), "{name}: pins hang on a chip");
        assert_eq!(board.models.is_empty(), ["generic", "sim"].contains(name), "{name}");
        assert!(board.share.memory_mib >= 16, "{name}");
        for bus in &board.buses {
            assert!(bus.path.starts_with('/') && bus.enable.contains('='), "{name}: {}", bus.name);
            let named = bus.pins.iter().all(|bcm| board.functions.contains_key(bcm));
            assert!(named, "{name}: every pin of {} says what it does there", bus.name);
        }
    }
}

#[test]
fn every_header_is_complete_and_names_no_line_twice() {
    let lines = |board: &Board| -> Vec<u8> {
        let mut lines: Vec<u8> = board.header.iter().filter_map(|pin| pin.role.bcm()).collect();
        lines.sort_unstable();
        lines
    };
    let supplies = |board: &Board, role| board.header.iter().filter(|pin| pin.role == role).count();
    for board in BOARDS.iter().map(|(name, text)| known(name, text)) {
        let name = board.name.as_str();
        match board.header.len() {
            0 => assert_eq!(name, "generic"),
            26 => {
                assert!(name.starts_with("pi-1"), "{name}");
                assert_eq!(lines(&board).len(), 17, "{name}");
                assert_eq!((supplies(&board, PinRole::Ground), supplies(&board, PinRole::Power3v3)), (5, 2));
            }
            40 => {
                assert_eq!(lines(&board), (0..=BCM_MAX).collect::<Vec<u8>>(), "{name}");
                assert_eq!((supplies(&board, PinRole::Ground), supplies(&board, PinRole::Power3v3)), (8, 2));
            }
            pins => panic!("{name}: a header of {pins} pins"),
        }
        if !board.header.is_empty() {
            assert_eq!(supplies(&board, PinRole::Power5v), 2, "{name}");
        }
    }
}

#[test]
fn the_header_is_that_of_a_pi() {
    // Places every wiring guide agrees on.
    for name in ["pi-zero", "pi-zero-2-w", "pi-1-plus", "pi-3", "pi-5", "cm4", "sim"] {
        let board = Board::named(name).expect(name);
        for (bcm, physical) in
            [(2, 3), (3, 5), (4, 7), (14, 8), (15, 10), (17, 11), (18, 12), (21, 40), (26, 37)]
        {
            assert_eq!(place(&board, bcm), Some(physical), "{name} GPIO{bcm}");
        }
        assert_eq!(board.header[0].role, PinRole::Power3v3);
        assert_eq!(board.header[1].role, PinRole::Power5v);
        assert_eq!(board.header[38].role, PinRole::Ground);
    }
    let [first, second] = ["pi-1-rev-1", "pi-1"].map(|name| Board::named(name).expect(name));
    assert_eq!([0, 1, 21].map(|bcm| place(&first, bcm)), [Some(3), Some(5), Some(13)]);
    assert_eq!([2, 3, 27].map(|bcm| place(&second, bcm)), [Some(3), Some(5), Some(13)]);
    assert_eq!([2, 3, 27].map(|bcm| place(&first, bcm)), [None; 3]);
}

#[test]
fn a_board_is_found_by_the_model_the_device_tree_tells() {
    for (model, name) in [
        ("Raspberry Pi Zero Rev 1.3", "pi-zero"),
        ("Raspberry Pi Zero", "pi-zero"),
        ("Raspberry Pi Zero W Rev 1.1", "pi-zero-w"),
        ("Raspberry Pi Zero 2 W Rev 1.0", "pi-zero-2-w"),
        ("Raspberry Pi Model B Rev 1", "pi-1-rev-1"),
        ("Raspberry Pi Model B Rev 2", "pi-1"),
        ("Raspberry Pi Model B Rev 2.0", "pi-1"),
        ("Raspberry Pi Model B rev2 Rev 2.0", "pi-1"),
        ("Raspberry Pi Model A Rev 2", "pi-1"),
        ("Raspberry Pi Model B Plus Rev 1.2", "pi-1-plus"),
        ("Raspberry Pi Model A Plus Rev 1.1", "pi-1-plus"),
        ("Raspberry Pi 2 Model B Rev 1.1", "pi-2"),
        ("Raspberry Pi 2 Model B rev 1.2", "pi-2"),
        ("Raspberry Pi 3 Model B Rev 1.2", "pi-3"),
        ("Raspberry Pi 3 Model B Plus Rev 1.3", "pi-3"),
        ("Raspberry Pi 3 Model A Plus Rev 1.0", "pi-3"),
        ("Raspberry Pi 4 Model B Rev 1.5", "pi-4"),
        ("Raspberry Pi 400 Rev 1.0", "pi-4"),
        ("Raspberry Pi Compute Module 4 Rev 1.1", "cm4"),
        ("Raspberry Pi Compute Module 4 IO Board", "cm4"),
        ("Raspberry Pi 5 Model B Rev 1.0", "pi-5"),
    ] {
        assert_eq!(Board::of_model(model).map(|board| board.name).as_deref(), Some(name), "{model}");
    }
    // The next model may have its pins elsewhere, although its name begins like that of one that is known.
    for model in
        ["Raspberry Pi Zero 3 W Rev 1.0", "Raspberry Pi 6", "Raspberry Pi Compute Module 4S", "Pi", ""]
    {
        assert_eq!(Board::of_model(model), None, "{model}");
    }
}

#[test]
fn each_board_has_its_chip_and_its_target() {
    for (name, chip, target) in [
        ("pi-zero", "pinctrl-bcm2835", "arm-unknown-linux-musleabihf"),
        ("pi-1", "pinctrl-bcm2835", "arm-unknown-linux-musleabihf"),
        ("pi-2", "pinctrl-bcm2835", "armv7-unknown-linux-musleabihf"),
        ("pi-zero-2-w", "pinctrl-bcm2835", "aarch64-unknown-linux-musl"),
        ("pi-4", "pinctrl-bcm2711", "aarch64-unknown-linux-musl"),
        ("cm4", "pinctrl-bcm2711", "aarch64-unknown-linux-musl"),
        ("pi-5", "pinctrl-rp1", "aarch64-unknown-linux-musl"),
        ("sim", "sim", "host"),
    ] {
        let board = Board::named(name).expect(name);
        assert_eq!((board.gpio_chip.as_deref(), board.target.as_str()), (Some(chip), target), "{name}");
    }
}

#[test]
fn no_model_belongs_to_two_boards() {
    let boards: Vec<Board> = BOARDS.iter().map(|(name, text)| known(name, text)).collect();
    let models: Vec<&String> = boards.iter().flat_map(|board| &board.models).collect();
    let distinct: BTreeSet<&String> = models.iter().copied().collect();
    assert_eq!(models.len(), distinct.len());
}

#[test]
fn a_board_adds_to_its_header_and_replaces_what_it_has_otherwise() {
    let [zero, five, four] = ["pi-zero", "pi-5", "pi-4"].map(|name| Board::named(name).expect(name));
    let uart = |board: &Board| {
        let found: Vec<String> =
            board.buses.iter().filter(|bus| bus.name == "uart").map(|bus| bus.path.clone()).collect();
        found.join(" ")
    };
    assert_eq!((uart(&zero).as_str(), uart(&five).as_str()), ("/dev/serial0", "/dev/ttyAMA0"));
    assert_eq!(zero.functions[&0], ["ID_SD"]);
    assert_eq!(four.functions[&0], ["ID_SD", "SDA6", "TXD2", "SPI3 CE0"]);
}

#[test]
fn a_broken_board_file_says_what_is_wrong() {
    let missing = check("pi-zero", "header-40", "header-44");
    assert_eq!(missing.to_string(), "no file of boards/ describes the header 'header-44'");
    let unknown = |pin: &str| BoardError::UnknownPin(pin.into());
    assert_eq!(check("pi-4", "GPIO23 =", "GPIO28 ="), unknown("GPIO28"));
    assert_eq!(check("pi-5", "\"GPIO15\"", "\"15\""), unknown("15"));
    assert_eq!(check("pi-5", "\"GPIO15\"", "\"GPIO+5\""), unknown("GPIO+5"));
    assert_eq!(check("pi-5", "\"GPIO15\"", "\"GPIO14\""), BoardError::TwicePinned(14));
    assert_eq!(check("pi-5", "\"GPIO15\"", "\"GPIO4\""), BoardError::TwicePinned(4));
    assert_eq!(check("pi-4", "header-40", "header-26"), BoardError::NotOnHeader(0));
}

#[test]
fn a_header_that_names_a_line_twice_is_refused() {
    let rows = |rows: &[[&str; 2]]| {
        let rows: Vec<[String; 2]> = rows.iter().map(|row| row.map(str::to_owned)).collect();
        header(&rows).and_then(|pins| unique(pins.iter().filter_map(|pin| pin.role.bcm())))
    };
    assert_eq!(rows(&[["3V3", "GPIO2"], ["GPIO2", "GND"]]), Err(BoardError::TwicePinned(2)));
    assert_eq!(rows(&[["3V3", "GPIO2"], ["GND", "GND"]]), Ok([2].into()));
}

#[test]
fn a_misspelt_key_is_refused_with_its_line() {
    let BoardError::Toml(words) = check("pi-zero", "memory_mib", "memory_mb") else { panic!("not as TOML") };
    assert!(words.contains("line 14") && words.contains("memory_mb"), "{words}");
}
