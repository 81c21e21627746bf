//! Folders of older formats, and folders of which something is gone.

use super::damage::copy;
use crate::harness::process::Process;
use crate::program::Desk;
use std::fs;
use std::path::Path;

/// Data folders as older linnets left them: each file by its path and length, then its bytes where they are not zero.
const FORMAT_1: &str = include_str!("../../golden/folders/1.txt");
const FORMAT_2: &str = include_str!("../../golden/folders/2.txt");
/// The token of its device *porch*, which reads *garden*.
const PORCH: &str = "dv_jvlOMcpifpim7lPTsVhaDay1bgPf1WPpHG4FNIKOugE";

fn unpack(text: &str, data: &Path) {
    for file in text.split("\n\n") {
        let mut lines = file.lines();
        let (path, length) = lines.next().unwrap().split_once(' ').unwrap();
        let mut bytes = vec![0; length.parse().unwrap()];
        for line in lines {
            let (at, hex) = line.split_once(' ').unwrap();
            let at: usize = at.parse().unwrap();
            for (place, pair) in hex.as_bytes().chunks(2).enumerate() {
                let pair = std::str::from_utf8(pair).unwrap();
                bytes[at + place] = u8::from_str_radix(pair, 16).unwrap();
            }
        }
        let path = data.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Leaves a folder as a power cut would.
type Cut<'a> = &'a dyn Fn(&Path);

/// A node on the folder says everything that was said.
fn check_all_is_there(desk: &Desk) {
    let node = Process::start(desk, "");
    let bearer = format!("Bearer {PORCH}");
    let heard = node.ask("GET", "/garden/json?since=all&poll=1", &[("Authorization", &bearer)], None).text();
    for number in 1..=12 {
        assert!(heard.contains(&format!("\"tea {number} is ready\"")), "{heard}");
    }
    for number in 1..=3 {
        assert!(heard.contains(&format!("\"door opened {number}\"")), "{heard}");
    }
    let users = desk.run("user list");
    assert!(users.out.contains("alice") && users.out.contains("bob"), "{}", users.out);
    assert_eq!(desk.run("check").code, 0);
    assert_eq!(node.stop(), 0);
}

#[test]
fn a_folder_of_an_older_format_is_brought_up_and_says_everything() {
    for (format, folder) in [(1, FORMAT_1), (2, FORMAT_2)] {
        let desk = Desk::with(&[]);
        let data = desk.path().join("linnet-data");
        unpack(folder, &data);
        assert_eq!(fs::read_to_string(data.join("format")).unwrap(), format!("linnet {format}\n"));
        check_all_is_there(&desk);
        assert_eq!(fs::read_to_string(data.join("format")).unwrap(), "linnet 3\n");
        let aside = data.join(format!("index-of-format-{format}"));
        assert!(!aside.exists(), "the old index is removed when the new is good");
        check_all_is_there(&desk);
    }
}

#[test]
fn an_upgrade_that_is_cut_short_is_repeated_from_wherever_it_stood() {
    for (folder, aside) in [(FORMAT_1, "index-of-format-1"), (FORMAT_2, "index-of-format-2")] {
        check_upgrade_is_repeated(folder, aside);
    }
}

fn check_upgrade_is_repeated(folder: &str, old: &str) {
    let desk = Desk::with(&[]);
    let (data, whole) = (desk.path().join("linnet-data"), desk.path().join("whole"));
    unpack(folder, &whole);
    let upgraded = Desk::with(&[]);
    unpack(folder, &upgraded.path().join("linnet-data"));
    check_all_is_there(&upgraded);
    let aside = |data: &Path| fs::rename(data.join("index"), data.join(old)).unwrap();
    // As a power cut leaves it: after each thing the upgrade does.
    let cuts: [(&str, Cut<'_>); 5] = [
        ("the old index is aside", &aside),
        ("the witness is gone too", &|data| {
            aside(data);
            fs::remove_file(data.join("index-reached")).unwrap();
        }),
        ("half of a new index is there", &|data| {
            aside(data);
            fs::create_dir(data.join("index")).unwrap();
            fs::write(data.join("index/db"), [7; 4_000]).unwrap();
        }),
        ("the new format is half written", &|data| {
            aside(data);
            copy(&upgraded.path().join("linnet-data/index"), &data.join("index"));
            fs::write(data.join("format.new"), "lin").unwrap();
        }),
        ("the new format is written and the old index is not removed", &|data| {
            fs::remove_dir_all(data).unwrap();
            copy(&upgraded.path().join("linnet-data"), data);
            copy(&whole.join("index"), &data.join(old));
        }),
    ];
    for (when, cut) in cuts {
        copy(&whole, &data);
        cut(&data);
        check_all_is_there(&desk);
        assert_eq!(fs::read_to_string(data.join("format")).unwrap(), "linnet 3\n", "{when}");
        assert!(!data.join(old).exists(), "{when}");
        fs::remove_dir_all(&data).unwrap();
    }
}

#[test]
fn a_node_never_begins_empty_in_silence() {
    let desk = Desk::with(&[]);
    let data = desk.path().join("linnet-data");
    let hurts: [(&str, &dyn Fn()); 4] = [
        ("The journal is gone", &|| fs::remove_dir_all(data.join("journal")).unwrap()),
        ("The journal is gone", &|| {
            fs::remove_dir_all(data.join("journal")).unwrap();
            fs::create_dir(data.join("journal")).unwrap();
            fs::remove_dir_all(data.join("index")).unwrap();
        }),
        ("holds no journal", &|| {
            for name in ["journal", "index"] {
                fs::remove_dir_all(data.join(name)).unwrap();
            }
            fs::remove_file(data.join("index-reached")).unwrap();
        }),
        ("The index was gone", &|| fs::remove_dir_all(data.join("index")).unwrap()),
    ];
    for (told, hurt) in hurts {
        unpack(FORMAT_1, &data);
        assert_eq!(Process::start(&desk, "").stop(), 0);
        hurt();
        let node = Process::start(&desk, "");
        let health = node.ask("GET", "/health", &[], None).text();
        let status = desk.run("status --json").out;
        assert!(health.contains(told) || status.contains(told), "{told}: {health} {status}");
        assert_eq!(node.stop(), 0);
        fs::remove_dir_all(&data).unwrap();
    }
}
