//! What the command line hears of a check.

use super::answer::Surroundings;
use super::wire::{CheckReport, LostLine, Reply};
use crate::chat::refusal::Refusal;
use crate::node::NodeHandle;
use crate::node::check::Report;
use std::path::PathBuf;

/// Checks the store of a running node, which goes on meanwhile.
pub async fn check(node: &NodeHandle, around: &Surroundings, repair: bool) -> Result<Reply, Refusal> {
    let (node, data) = (node.clone(), PathBuf::from(&around.status.data));
    // It reads everything there is, and the node has one thread for all doors.
    let checked = tokio::task::spawn_blocking(move || node.read(|reading| reading.check(&data)));
    let report = checked.await.map_err(|_| Refusal::StoreFailed)??;
    let mut answer = told(&report);
    if repair && !report.is_index_sound() {
        answer.repaired = rebuild(around, "a check found that it does not fit the journal");
    } else if repair && report.lost_count > 0 {
        answer.repaired = Some(
            "what the journal lost comes back from a backup only while no node runs: stop it, then run 'linnet check \
             --repair' again"
                .to_owned(),
        );
    }
    Ok(Reply::ok(&answer))
}

/// Has a running node build its index anew.
pub fn rebuild_index(around: &Surroundings) -> Reply {
    match rebuild(around, "it was to be built anew") {
        Some(repaired) => {
            Reply::ok(&CheckReport { sound: true, repaired: Some(repaired), ..CheckReport::default() })
        }
        None => Reply::refused("this node cannot start itself anew", "stop it, and ask again"),
    }
}

fn rebuild(around: &Surroundings, why: &str) -> Option<String> {
    let rebuild = around.rebuild.as_ref()?;
    (rebuild.0)(why);
    Some("the node starts anew now and builds its index from the journal".to_owned())
}

/// A report as it is told.
pub fn told(report: &Report) -> CheckReport {
    let lost = report.lost.iter().map(|lost| LostLine {
        what: lost.to_string(),
        changes: lost.changes(),
        from_ms: lost.before.map(|before| before.at),
        until_ms: lost.after.map(|after| after.at),
    });
    CheckReport {
        sound: report.is_sound(),
        changes: report.changes,
        last_seq: report.last.0,
        entries: report.entries,
        lost_count: report.lost_count,
        lost: lost.collect(),
        findings_count: report.findings_count,
        findings: report.findings.clone(),
        repaired: None,
    }
}
