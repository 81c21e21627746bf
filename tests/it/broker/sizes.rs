//! The sizes of attacks: the real program lives through all of them, within its memory, and serves the others meanwhile.
//! `SIEGE=full SIEGE_BIN=target/release/linnet cargo nextest run --no-capture broker::sizes` has them in their full
//! size, one after the other, and prints what it saw.

use super::siege::{Target, attack, under};
use crate::harness::process::Process;
use crate::program::Desk;
use serde_json::Value;

/// MiB that a node may have for itself, on the smallest board, whatever comes.
const MIB_MAX: u64 = 64;
/// The attacks of an ordinary run are this part of the full ones.
const PART: usize = 10;
/// As little memory as a Pi Zero gives, and more connections than it has.
const SETTINGS: &str = "[budget]\nmemory = \"64 MB\"\nsessions = 10000\n";

/// A node that is held to it by an attack.
fn check(name: &str) {
    let desk = Desk::with(&[("linnet.toml", SETTINGS)]);
    let node = Process::start_logging(&desk, "log", "--mqtt 127.0.0.1:0 --data data");
    let added = desk.run("device add lamp --publish home/# --subscribe home/# --json --data data");
    let key = serde_json::from_str::<Value>(&added.out).expect(&added.err)["token"].clone();
    let target = Target {
        address: node.mqtt.unwrap(),
        pid: node.id(),
        device: ("lamp".into(), key.as_str().unwrap().into()),
        part: if std::env::var("SIEGE").is_ok_and(|size| size == "full") { 1 } else { PART },
    };
    let seen = under(attack(name), &target);
    println!("{name}: {seen:?}");
    assert!(seen.own_kib_max < MIB_MAX * 1024, "{} KiB of memory", seen.own_kib_max);
    assert_eq!(node.stop(), 0);
}

#[test]
fn half_connects() {
    check("half connects");
}

#[test]
fn refused_connects() {
    check("refused connects");
}

#[test]
fn half_packets() {
    check("half packets");
}

#[test]
fn malformed_packets() {
    check("malformed");
}

#[test]
fn thousands_of_user_properties() {
    check("user properties");
}

#[test]
fn filters_as_deep_as_a_packet() {
    check("filters");
}

#[test]
fn every_id_of_qos_2_is_open() {
    check("open ids");
}

#[test]
fn subscribers_that_do_not_read() {
    check("deaf");
}

#[test]
fn subscribers_that_do_not_acknowledge() {
    check("silent");
}

#[test]
fn a_storm_of_wills() {
    check("wills");
}

#[test]
fn retained_topics_by_the_ten_thousand() {
    check("retained");
}
