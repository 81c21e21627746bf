//! What the command line hears of a check.

use super::answer::Surroundings;
use super::wire::{CheckReport, EarlierLine, LostLine, Reply};
use crate::chat::refusal::Refusal;
use crate::node::NodeHandle;
use crate::node::check::Report;
use crate::node::reading::Reading;
use std::path::PathBuf;

/// Checks the store of a running node, which goes on meanwhile.
pub async fn check(
    node: &NodeHandle,
    around: &Surroundings,
    repair: bool,
    accept: bool,
) -> Result<Reply, Refusal> {
    let (node, data) = (node.clone(), PathBuf::from(&around.status.data));
    // It reads everything there is, and the node has one thread for all doors.
    let look = move |reading: &Reading| {
        let report = reading.check(&data)?;
        if accept { reading.accept_losses(&report) } else { Ok(report) }
    };
    let checked = tokio::task::spawn_blocking(move || node.read(look));
    let report = checked.await.map_err(|_| Refusal::StoreFailed)??;
    let mut answer = told(&report);
    if repair && !report.is_index_sound() {
        answer.repaired = rebuild(around, "a check found that it does not fit the journal");
    } else if repair && report.lost_count > 0 {
        answer.repaired = Some(
            "what the journal lost comes back from a scheduled backup when the node starts anew; from another one only \
             while no node runs: stop it, then run 'linnet check --repair' again"
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
    let earlier = report.earlier.iter().map(|gone| EarlierLine {
        first: gone.first,
        last: gone.last,
        changes: gone.count,
        from_ms: gone.from,
        until_ms: gone.until,
        since_ms: gone.since,
        accepted: gone.accepted,
    });
    CheckReport {
        sound: report.is_sound(),
        changes: report.changes,
        last_seq: report.last.0,
        entries: report.entries,
        lost_count: report.lost_count,
        lost: lost.collect(),
        lost_earlier: earlier.collect(),
        findings_count: report.findings_count,
        findings: report.findings.clone(),
        repaired: None,
    }
}
