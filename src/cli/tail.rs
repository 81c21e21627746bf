//! `linnet tail`: what is said in a room, as it is said.

use super::Action;
use super::args::{Opt, Spec};
use super::table::{plain, utc};
use crate::doors::control::wire::{Request, TailLine};
use serde_json::Value;

pub(super) const TAIL: Spec = Spec {
    words: "tail",
    operands: &["ROOM"],
    options: &[Opt::valued("--since", "N"), Opt::switch("--json")],
    help: HELP,
    build: |given, _| {
        let since = given.value("--since").map(str::parse).transpose();
        let since = since
            .map_err(|_| given.usage("'--since' takes a sequence number, as --json shows it: --since 42"))?;
        let room = given.operand().trim_start_matches('#').to_owned();
        Ok(Action::Ask {
            sources: given.sources(),
            request: Request::Tail { room, since },
            json: given.has("--json"),
        })
    },
};

const HELP: &str = "\
linnet tail: show what is said in a room, as it is said

usage: linnet tail ROOM [--since N] [--json]

  ROOM             its name, with or without #
  --since N        begin after the message with this sequence number, not with the newest few
  --json           one JSON object a line, with 'seq'
  --data DIR       the node's data folder (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

Ends with Ctrl-C, or by itself when no node runs. Times are UTC; one with a ? was said while nobody knew it.

examples:
  linnet tail garden
  linnet tail garden --since 0 --json | jq -r .text
";

/// What the store answers when no node runs: all messages at once. A node that stops answers with none.
pub(super) fn show(value: &Value, show_item: impl Fn(&Value) -> Option<String>) -> String {
    value.as_array().into_iter().flatten().filter_map(show_item).collect()
}

/// One message; further lines of it are indented.
pub(super) fn show_line(line: &TailLine) -> String {
    let text = line.text.lines().map(plain).collect::<Vec<_>>().join("\n    ");
    // Only its place in the order is certain.
    let doubt = if line.time_uncertain { "?" } else { "" };
    format!("{}{doubt} {}: {text}\n", utc(line.time_ms), plain(&line.from))
}
