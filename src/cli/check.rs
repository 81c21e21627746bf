//! `linnet check` and `linnet rebuild-index`: whether everything is there, and what to do when it is not.

use super::Action;
use super::args::{Opt, Spec};
use super::table::{plain, utc};
use crate::doors::control::wire::{CheckReport, EarlierLine, LostLine, Request};

pub(super) const CHECK: Spec = Spec {
    words: "check",
    operands: &[],
    options: &[
        Opt::switch("--repair"),
        Opt::valued("--backup", "FILE"),
        Opt::switch("--accept"),
        Opt::switch("--json"),
    ],
    help: HELP,
    build: |given, _| {
        let (repair, backup) = (given.has("--repair"), given.value("--backup").map(str::to_owned));
        if backup.is_some() && !repair {
            return Err(given.usage("a --backup is for a --repair"));
        }
        let accept = given.has("--accept");
        if accept && repair {
            return Err(given.usage("repair first, and --accept what stays lost"));
        }
        let request = Request::Check { repair, backup, accept };
        Ok(Action::Ask { sources: given.sources(), request, json: given.has("--json") })
    },
};

pub(super) const REBUILD: Spec = Spec {
    words: "rebuild-index",
    operands: &[],
    options: &[Opt::switch("--json")],
    help: REBUILD_HELP,
    build: |given, _| {
        let json = given.has("--json");
        Ok(Action::Ask { sources: given.sources(), request: Request::RebuildIndex, json })
    },
};

const HELP: &str = "\
linnet check: whether everything that was said can be read, and the index fits it

usage: linnet check [--repair [--backup FILE] | --accept] [--json]

  --repair         bring back from a backup what a damaged journal lost, while no node runs; set an index that does
                   not fit aside, and build it anew from the journal
  --backup FILE    the backup to take it from (the newest in the folder of scheduled ones that has it)
  --accept         say that you know of what the journal has lost: it stays listed as lost earlier, and /health and the
                   exit code call it a trouble no more
  --json           for scripts
  --data DIR       the node's data folder (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

Reads everything, and builds an index beside the node's own to compare them: that takes some minutes and as much room as
the index has. A running node goes on meanwhile; without one nothing in the folder is changed. The exit code is 0 when
all is well or nothing is lost but what was known before, and 1 when something is damaged. What the journal has lost
comes back only from a backup of this node: a start fills it by itself from the folder of scheduled backups. The damaged
files are kept in quarantine-journal in the data folder.

examples:
  linnet check
  linnet check --repair
  linnet check --repair --backup /media/stick/linnet.backup
";

const REBUILD_HELP: &str = "\
linnet rebuild-index: build the index anew from the journal

usage: linnet rebuild-index [--json]

  --json           for scripts
  --data DIR       the node's data folder (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

The old index is kept in a quarantine folder. A running node starts anew for it. Nothing that the journal holds is lost;
where the journal is damaged the old index may know more: 'linnet check' says so.

examples:
  linnet rebuild-index
";

/// What a check found, in plain words.
pub(super) fn show(report: &CheckReport) -> String {
    let mut text = String::new();
    if report.changes > 0 || report.entries > 0 {
        text += &format!(
            "journal: {} Changes can be read, up to {}\nindex: {} entries compared\n",
            report.changes, report.last_seq, report.entries
        );
    }
    text.extend(report.lost.iter().map(lost));
    text += &more(report.lost_count, report.lost.len());
    text.extend(report.lost_earlier.iter().map(earlier));
    text.extend(report.findings.iter().map(|finding| format!("index damaged: {}\n", plain(finding))));
    text += &more(report.findings_count, report.findings.len());
    match (&report.repaired, report.findings_count) {
        (Some(repaired), _) => text += &format!("{}\n", plain(repaired)),
        (None, 0) => {}
        (None, _) => text += "next: linnet check --repair\n",
    }
    if report.sound && report.repaired.is_none() {
        text +=
            if report.lost_earlier.is_empty() { "everything is well\n" } else { "nothing else is lost\n" };
    }
    if report.lost_earlier.iter().any(|line| !line.accepted) {
        text += "next: linnet check --accept, to say that you know\n";
    }
    text
}

fn earlier(line: &EarlierLine) -> String {
    let since = line.since_ms.map_or_else(String::new, |since| format!(", known since {}", utc(since)));
    let (count, first, last) = (line.changes, line.first, line.last);
    let span = span(line.from_ms, line.until_ms);
    format!("lost earlier{since}: {count} of the Changes {first} to {last} are lost{span}\n")
}

fn lost(line: &LostLine) -> String {
    format!("journal damaged: {}{}\n", plain(&line.what), span(line.from_ms, line.until_ms))
}

fn span(from_ms: Option<u64>, until_ms: Option<u64>) -> String {
    match (from_ms, until_ms) {
        (Some(from), Some(until)) => format!(", said between {} and {}", utc(from), utc(until)),
        (None, Some(until)) => format!(", said before {}", utc(until)),
        (Some(from), None) => format!(", said after {}", utc(from)),
        (None, None) => String::new(),
    }
}

fn more(count: u64, shown: usize) -> String {
    match count.saturating_sub(shown as u64) {
        0 => String::new(),
        more => format!("  and {more} more\n"),
    }
}
