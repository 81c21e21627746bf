//! `linnet room`: rooms.

use super::Action;
use super::args::{Opt, Spec};
use super::table::{plain, table};
use crate::doors::control::wire::{Request, RoomLine};

pub(super) const LIST: Spec = Spec {
    words: "room list",
    operands: &[],
    options: &[Opt::switch("--json")],
    help: HELP,
    build: |given, _| {
        Ok(Action::Ask { sources: given.sources(), request: Request::RoomList, json: given.has("--json") })
    },
};

const HELP: &str = "\
linnet room: rooms

usage: linnet room list [--json]

  --json           for scripts
  --data DIR       the node's data folder (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

example:
  linnet room list
";

/// All rooms.
pub(super) fn show_list(rooms: Vec<RoomLine>) -> String {
    let row = |room: &RoomLine| {
        vec![plain(&room.name), plain(&room.kind), room.members.to_string(), room.messages.to_string()]
    };
    table(&["name", "kind", "members", "messages"], rooms.iter().map(row))
}
