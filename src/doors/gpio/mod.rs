//! The pins of the board. For now this door knows two things: which board it stands on, and which buses are on.

mod rpi;

use crate::base::board::Board;
use crate::base::limits::MODEL_BYTES_MAX;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What the firmware calls the machine; present where there is a device tree.
const MODEL: &str = "proc/device-tree/model";

/// The board linnet stands on, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The board.
    pub board: Board,
    /// What the machine calls itself, where it says.
    pub model: Option<String>,
    /// How the board is known.
    pub how: How,
}

/// How a board is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The settings name it.
    Set,
    /// The machine's model is one of its models.
    Model,
    /// Nothing names one: it is the generic one.
    Unknown,
}

/// The board of the machine whose files begin at `root`, unless the settings name one.
pub fn find(root: &Path, chosen: Option<&str>) -> Found {
    let model = device_tree(root).or_else(|| rpi::model().filter(|_| root == Path::new("/")));
    if let Some(board) = chosen.and_then(Board::named) {
        return Found { board, model, how: How::Set };
    }
    match model.as_deref().and_then(Board::of_model) {
        Some(board) => Found { board, model, how: How::Model },
        // Pins of a board nobody described could be wired to anything: better none than the wrong ones.
        None => Found { board: Board::generic(), model, how: How::Unknown },
    }
}

/// The buses of a board that are on, by the files of the machine; of a board without hardware, none.
pub fn buses_on<'a>(root: &Path, board: &'a Board) -> Vec<&'a str> {
    let has_hardware = !board.models.is_empty();
    let on =
        board.buses.iter().filter(|bus| has_hardware && root.join(bus.path.trim_start_matches('/')).exists());
    on.map(|bus| bus.name.as_str()).collect()
}

fn device_tree(root: &Path) -> Option<String> {
    let mut model = Vec::new();
    File::open(root.join(MODEL)).ok()?.take(MODEL_BYTES_MAX).read_to_end(&mut model).ok()?;
    // Properties of a device tree end with a zero.
    let model = String::from_utf8_lossy(&model).trim_matches(['\0', '\n', ' ']).to_owned();
    (!model.is_empty()).then_some(model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn machine(model: &[u8], paths: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        let mut files = vec![(MODEL, model)];
        files.extend(paths.iter().map(|path| (*path, &b""[..])));
        for (path, bytes) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("made");
            fs::write(path, bytes).expect("written");
        }
        root
    }

    #[test]
    fn the_board_is_what_the_device_tree_says() {
        let check = |model: &[u8], chosen, expected: (&str, How)| {
            let found = find(machine(model, &[]).path(), chosen);
            assert_eq!((found.board.name.as_str(), found.how), expected);
            found.model
        };
        let model = check(b"Raspberry Pi Zero W Rev 1.1\0", None, ("pi-zero-w", How::Model));
        assert_eq!(model.as_deref(), Some("Raspberry Pi Zero W Rev 1.1"));
        check(b"Raspberry Pi Zero W Rev 1.1\0", Some("pi-4"), ("pi-4", How::Set));
        let model = check(b"Raspberry Pi 6 Model B Rev 1.0\0", None, ("generic", How::Unknown));
        assert_eq!(model.as_deref(), Some("Raspberry Pi 6 Model B Rev 1.0"));
        check(b"Radxa Zero\0", None, ("generic", How::Unknown));
        check(&[b'x'; 10_000], None, ("generic", How::Unknown));
        assert_eq!(check(b"\0", None, ("generic", How::Unknown)), None);
        check(b"", Some("sim"), ("sim", How::Set));
    }

    #[test]
    fn a_machine_without_a_device_tree_is_generic() {
        let empty = tempfile::tempdir().expect("a folder");
        let found = find(empty.path(), None);
        assert_eq!((found.board.name.as_str(), found.model, found.how), ("generic", None, How::Unknown));
    }

    #[test]
    fn a_bus_is_on_when_its_path_is_there() {
        let paths = ["sys/bus/i2c/devices/i2c-1/name", "dev/serial0"];
        let root = machine(b"Raspberry Pi Zero Rev 1.3\0", &paths);
        let on = |chosen| {
            let board = find(root.path(), chosen).board;
            buses_on(root.path(), &board).join(" ")
        };
        assert_eq!(on(None), "i2c-1 uart");
        assert_eq!(on(Some("pi-5")), "i2c-1");
        // The buses of the machine are not those of a board that is only simulated on it.
        assert_eq!(on(Some("sim")), "");
        assert_eq!(on(Some("generic")), "");
    }
}
