//! What is told of a board, by the files of a machine and by the settings.

use super::*;
use crate::config::{Config, Sources};
use std::fs;
use std::path::Path;

/// A machine with this model and so many MiB of memory.
fn machine(model: &str, memory_mib: u64) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("made");
        fs::write(path, text).expect("written");
    };
    write("proc/device-tree/model", &format!("{model}\0"));
    write("proc/meminfo", &format!("MemTotal: {} kB\nMemFree: 1 kB\n", memory_mib * 1024));
    write("sys/bus/i2c/devices/i2c-1/name", "");
    root
}

fn told(root: &Path, settings: &str, form: Form) -> String {
    let file = root.join("linnet.toml");
    fs::write(&file, settings).expect("written");
    let config = Config::load(&Sources { config: Some(file), ..Sources::default() }).expect(settings).config;
    let here = Here { root: root.to_owned(), colour: false, columns: 80 };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut streams = Streams { input: &mut io::empty(), out: &mut out, err: &mut err };
    print(&here, &config, form, &mut streams).expect("printed");
    String::from_utf8(out).expect("text")
}

fn json(root: &Path, settings: &str) -> serde_json::Value {
    serde_json::from_str(&told(root, settings, Form::Json)).expect("JSON")
}

#[test]
fn a_board_is_told_with_what_it_allows() {
    let root = machine("Raspberry Pi Zero W Rev 1.1", 430);
    let expected = "\
board      pi-zero-w   (Raspberry Pi Zero W Rev 1.1)
target     arm-unknown-linux-musleabihf
pins       40 on the header, of the chip 'pinctrl-bcm2835'
memory     64 MiB of 430 MiB; a service is pressed at 96 MiB and ended at 128 MiB
caches     4096 KiB: 1024 KiB index, 1365 KiB newest messages, 341 KiB encoded, 1365 KiB waiting to be written
sessions   2000 listening at one time
http       256 connections, 128 of one address
hashing    1 password at one time
i2c-1      on, has GPIO2, GPIO3
1-wire     off; 'dtoverlay=w1-gpio' in config.txt turns it on and takes GPIO4
spi0       off; 'dtparam=spi=on' in config.txt turns it on and takes GPIO7, GPIO8, GPIO9, GPIO10, GPIO11
uart       off; 'enable_uart=1' in config.txt turns it on and takes GPIO14, GPIO15
next: linnet pins
";
    assert_eq!(told(root.path(), "", Form::Words), expected);
}

#[test]
fn different_machines_are_given_different_budgets() {
    let figures = |model: &str, memory| {
        let line = json(machine(model, memory).path(), "");
        let budget = &line["budget"];
        let figure = |name: &str| budget[name].as_u64().unwrap_or_default();
        let board = line["board"].as_str().unwrap_or_default().to_owned();
        (board, figure("memory_bytes") >> 20, figure("cache_bytes") >> 10, figure("sessions"))
    };
    assert_eq!(figures("Raspberry Pi Zero Rev 1.3", 430), ("pi-zero".into(), 64, 4096, 2_000));
    assert_eq!(figures("Raspberry Pi Model B Rev 2", 180), ("pi-1".into(), 45, 2880, 1_406));
    assert_eq!(figures("Raspberry Pi 3 Model B Rev 1.2", 920), ("pi-3".into(), 128, 5632, 20_000));
    assert_eq!(figures("Raspberry Pi 4 Model B Rev 1.5", 3_800), ("pi-4".into(), 256, 8192, 20_000));
    assert_eq!(figures("Some laptop", 16_000), ("generic".into(), 128, 5632, 20_000));
    assert_eq!(figures("Some router", 256), ("generic".into(), 64, 2816, 10_000));
}

#[test]
fn settings_override_the_board_and_its_budget() {
    let root = machine("Raspberry Pi Zero Rev 1.3", 430);
    let line = json(root.path(), "board = 'pi-5'\n[budget]\nmemory = '32 MB'\ncache = '3 MB'\nsessions = 99");
    assert_eq!((line["board"].as_str(), line["known_by"].as_str()), (Some("pi-5"), Some("settings")));
    assert_eq!(line["model"].as_str(), Some("Raspberry Pi Zero Rev 1.3"));
    let budget = |name: &str| line["budget"][name].as_u64();
    assert_eq!((budget("memory_bytes"), budget("cache_bytes")), (Some(32 << 20), Some(3 << 20)));
    assert_eq!((budget("sessions"), budget("memory_max_bytes")), (Some(99), Some(64 << 20)));
    let sim = told(root.path(), "board = 'sim'", Form::Words);
    assert!(sim.starts_with("board      sim   (as the settings say; the machine calls itself"), "{sim}");
    assert!(sim.contains("\ni2c-1      off;"), "a simulated board has no bus: {sim}");
}

#[test]
fn an_unknown_machine_is_said_to_be_one() {
    let root = machine("Raspberry Pi 9 \u{1b}[2J Rev 1.0", 430);
    let words = told(root.path(), "", Form::Words);
    assert!(
        words.starts_with("board      generic   (nothing is known of 'Raspberry Pi 9 \u{fffd}[2J"),
        "{words}"
    );
    assert!(
        words.contains("\npins       none that linnet knows\n") && words.contains("set board = "),
        "{words}"
    );
    assert_eq!(json(root.path(), "")["known_by"].as_str(), Some("nothing"));
}

#[test]
fn the_service_is_bounded_by_the_board() {
    let zero = told(machine("Raspberry Pi Zero Rev 1.3", 430).path(), "", Form::Systemd);
    assert!(zero.ends_with("[Service]\nMemoryHigh=96M\nMemoryMax=128M\n"), "{zero}");
    let four = told(machine("Raspberry Pi 4 Model B Rev 1.5", 3_800).path(), "", Form::Systemd);
    assert!(four.ends_with("[Service]\nMemoryHigh=384M\nMemoryMax=512M\n"), "{four}");
    // The unit as it is installed is that of a Pi Zero.
    let unit = include_str!("../../../systemd/linnet.service");
    assert!(unit.contains("\nMemoryHigh=96M\nMemoryMax=128M\n"));
}
