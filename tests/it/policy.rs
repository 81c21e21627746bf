//! Who may do what: every kind of caller tries every ability of the node, and what came of it is held against
//! `tests/golden/policy.txt`. `BLESS=1 cargo nextest run policy::` writes the file anew; read the difference.

mod abilities;
mod stage;

use abilities::{ABILITIES, Try};
use linnet::chat::refusal::Refusal;
use stage::Stage;
use std::collections::BTreeMap;
use std::fmt::Write;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/policy.txt");

/// What came of it. Whatever a job did is taken back, so that every caller finds the same node.
fn outcome(stage: &mut Stage, who: &str, attempt: Try) -> String {
    let Stage { life, people, .. } = stage;
    let person = &people[who];
    let parts = &mut life.parts;
    let (reading, mut result) = (&parts.reading, Ok(()));
    let taken_back: Result<(), Refusal> = parts.node.transact(|node| {
        result = attempt(&stage.scene, reading, node, person);
        Err(Refusal::Busy)
    });
    assert_eq!(taken_back, Err(Refusal::Busy));
    match result {
        Ok(()) => "allowed".into(),
        Err(refusal) => format!("{refusal:?}"),
    }
}

fn table() -> String {
    let mut stage = Stage::new();
    let mut text = String::from(
        "Who may do what. Written by `BLESS=1 cargo nextest run policy::`, never by hand.\n\
         square is public, shed is private, workshop is public and read-only, attic is public and archived;\n\
         member, owner and roommod are in all of them, and the direct room is that of member and owner.\n",
    );
    for (ability, attempt) in ABILITIES {
        let mut by_outcome: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for who in stage::EVERYBODY {
            by_outcome.entry(outcome(&mut stage, who, *attempt)).or_default().push(who);
        }
        writeln!(text, "\n{ability}").unwrap();
        let allowed = by_outcome.remove("allowed").unwrap_or_default();
        writeln!(
            text,
            "  allowed: {}",
            if allowed.is_empty() { "nobody".into() } else { allowed.join(", ") }
        )
        .unwrap();
        for (refusal, who) in by_outcome {
            writeln!(text, "  {refusal}: {}", who.join(", ")).unwrap();
        }
    }
    text
}

#[test]
fn everybody_may_do_what_the_table_says() {
    let now = table();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(GOLDEN, &now).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap();
    let differs = now.lines().zip(golden.lines()).find(|(now, golden)| now != golden);
    assert_eq!(differs, None, "left is now; if it is meant so: BLESS=1 cargo nextest run policy::");
    assert_eq!(now.lines().count(), golden.lines().count(), "BLESS=1 cargo nextest run policy::");
}
