//! `linnet room`: rooms.

use super::Action;
use super::args::{Given, Opt, Spec, Usage};
use super::table::{plain, table};
use crate::doors::control::wire::{Keep, Request, RetentionLine, RoomLine};

pub(super) const LIST: Spec = Spec {
    words: "room list",
    operands: &[],
    options: &[Opt::switch("--json")],
    help: HELP,
    build: |given, _| {
        Ok(Action::Ask { sources: given.sources(), request: Request::RoomList, json: given.has("--json") })
    },
};

pub(super) const RETENTION: Spec = Spec {
    words: "room retention",
    operands: &["ROOM"],
    options: &[
        Opt::valued("--days", "N"),
        Opt::valued("--megabytes", "N"),
        Opt::switch("--forever"),
        Opt::switch("--default"),
        Opt::switch("--json"),
    ],
    help: HELP,
    build: |given, _| {
        let room = given.operand().trim_start_matches('#').to_owned();
        let request = Request::RoomRetention { room, keep: keep(&given)? };
        Ok(Action::Ask { sources: given.sources(), request, json: given.has("--json") })
    },
};

const HELP: &str = "\
linnet room: rooms

usage: linnet room list [--json]
       linnet room retention ROOM [--days N] [--megabytes N] [--json]
       linnet room retention ROOM --forever|--default [--json]

  ROOM             a room by name, or a direct room by its people: @alice,@bob
  --days N         messages older than so many days go for good
  --megabytes N    the oldest messages go when the room takes more than about so much
  --forever        nothing goes, whatever the node's settings say
  --default        what the node's settings say: retention.days and retention.megabytes
  --json           for scripts
  --data DIR       the node's data folder (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

'retention' alone shows what holds. A room's own rule replaces the node's as a whole. What is to go goes within minutes
and can be restored only from a backup; 'linnet compact' takes it off the disk at once.

examples:
  linnet room list
  linnet room retention sensors --days 30 --megabytes 50
  linnet room retention family --forever
  linnet room retention @alice,@sensorbot --days 7
";

/// What a command line wants to be kept; nothing when it only asks.
fn keep(given: &Given) -> Result<Option<Keep>, Usage> {
    let number = |name: &str| match given.value(name) {
        None => Ok(None),
        Some(value) => value.parse().ok().filter(|number| *number > 0u32).map(Some).ok_or_else(|| {
            given.usage(format!(
                "{name} takes a whole number from 1, not '{}'; --forever keeps everything",
                value.escape_debug()
            ))
        }),
    };
    let (days, megabytes) = (number("--days")?, number("--megabytes")?);
    let limited = days.is_some() || megabytes.is_some();
    match (limited, given.has("--forever"), given.has("--default")) {
        (false, false, false) => Ok(None),
        (false, false, true) => Ok(Some(Keep::Default)),
        (_, forever, false) if !(limited && forever) => {
            Ok(Some(Keep::Own { days: days.unwrap_or(0), megabytes: megabytes.unwrap_or(0) }))
        }
        _ => Err(given.usage("--forever, --default and a limit exclude each other")),
    }
}

/// What holds for a room.
pub(super) fn show_retention(line: &RetentionLine) -> String {
    let limits = match (line.days, line.megabytes) {
        (Some(0), Some(0)) => " for ever".to_owned(),
        (Some(days), Some(0)) => format!(" for {days} days"),
        (Some(0), Some(megabytes)) => format!(" up to about {megabytes} MB"),
        (Some(days), Some(megabytes)) => format!(" for {days} days, up to about {megabytes} MB"),
        _ => String::new(),
    };
    let by = if line.own { "by a rule of its own" } else { "as the node's settings say" };
    format!("{} is kept{limits}, {by}\n", plain(&line.room)).replace("kept, as", "kept as")
}

/// All rooms.
pub(super) fn show_list(rooms: Vec<RoomLine>) -> String {
    let row = |room: &RoomLine| {
        vec![plain(&room.name), plain(&room.kind), room.members.to_string(), room.messages.to_string()]
    };
    table(&["name", "kind", "members", "messages"], rooms.iter().map(row))
}
