//! A card that loses bytes nobody asks for: the node finds out by itself.

use crate::harness::process::Process;
use crate::harness::wait::until;
use crate::program::Desk;
use serde_json::Value;
use std::fs;

const POSTS: usize = 60;

#[tokio::test]
async fn what_the_card_lost_is_told_before_anybody_asks_for_it() {
    let desk = Desk::with(&[]);
    let node = Process::start(&desk, "");
    for number in 0..POSTS {
        assert_eq!(desk.run(&format!("post general door_{number}")).code, 0);
    }
    assert_eq!(node.stop(), 0);
    let segment = desk.path().join("linnet-data/journal/00000000000000000000.seg");
    let mut bytes = fs::read(&segment).unwrap();
    let at = bytes.windows(7).position(|seven| seven == b"door_30").unwrap();
    bytes[at] ^= 1;
    fs::write(&segment, bytes).unwrap();
    // The index has followed all of it: the start itself has no reason to look there.
    let node = Process::start(&desk, "");
    let mut whole = Value::Null;
    let is_told = || {
        whole = node.ask("GET", "/health", &[], None).json();
        whole["status"] == "error"
    };
    until("the damage is told", is_told).await;
    let told = whole["troubles"][0].clone();
    assert_eq!(told["kind"], "journal_damaged", "{whole}");
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("Change") && text.contains("is lost"), "{text}");
    until("it stands in #system", || desk.run("export - --format csv --room system").out.contains("is lost"))
        .await;
}
