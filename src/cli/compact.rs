//! `linnet compact`: takes what was deleted off the disk now.

use super::Action;
use super::args::{Opt, Spec};
use super::table::bytes;
use crate::doors::control::wire::{Compacted, Request};

pub(super) const COMPACT: Spec = Spec {
    words: "compact",
    operands: &[],
    options: &[Opt::switch("--json")],
    help: HELP,
    build: |given, _| {
        Ok(Action::Ask { sources: given.sources(), request: Request::Compact, json: given.has("--json") })
    },
};

const HELP: &str = "\
linnet compact: take deleted, replaced and outdated words off the disk now, and give their space back

usage: linnet compact [--json]

  --json           for scripts
  --data DIR       the node's data folder (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

A running node does the same by itself within a day. Backups made before keep what they have.
An index that takes far more room than it needs is made small when a node starts, or by this without one.

example:
  linnet compact
";

/// What was given back.
pub(super) fn show(compacted: &Compacted) -> String {
    let Compacted { segments, changes, bytes: free, index_bytes } = compacted;
    let index = match index_bytes {
        0 => String::new(),
        free => format!("{} given back: the index was compacted\n", bytes(*free)),
    };
    match segments {
        0 if index.is_empty() => "nothing to give back\n".to_owned(),
        0 => index,
        _ => {
            let free = bytes(*free);
            format!("{index}{free} given back: {changes} changes went from {segments} files of the journal\n")
        }
    }
}
