//! `linnet post`: say something in a room.

use super::Action;
use super::args::{Given, Opt, Spec, Usage};
use super::table::plain;
use crate::base::limits::TEXT_CHARS_MAX;
use crate::doors::control::wire::{Request, TailLine};
use std::io::Read;

pub(super) const POST: Spec = Spec {
    words: "post",
    operands: &["ROOM", "[TEXT]"],
    options: &[Opt::switch("--json")],
    help: HELP,
    build: |given, input| {
        let text = match given.rest() {
            Some(text) => text,
            None => read_text(&given, input)?,
        };
        let letters = text.chars().count();
        if text.trim().is_empty() {
            return Err(given.usage("there is nothing to post"));
        }
        if letters > TEXT_CHARS_MAX {
            return Err(given.usage(format!("a message has at most {TEXT_CHARS_MAX} characters")));
        }
        let room = given.operand().trim_start_matches('#').to_owned();
        Ok(Action::Ask {
            sources: given.sources(),
            request: Request::Post { room, text },
            json: given.has("--json"),
        })
    },
};

const HELP: &str = "\
linnet post: say something in a room

usage: linnet post ROOM [TEXT] [--json]

  ROOM             its name, with or without #
  TEXT             what to say; read from standard input when it is missing
  --json           for scripts: the message as it was stored
  --data DIR       the node's data folder (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

It is done when the message is on disk. A text that begins with '-' goes behind '--'.

examples:
  linnet post garden \"tea is ready\"
  uptime | linnet post general
  linnet post garden -- -5 degrees
";

/// What was posted, and where to see it.
pub(super) fn show(message: &TailLine) -> String {
    let room = plain(&message.room);
    format!("posted in #{room} as {}\nnext: linnet tail {room}\n", plain(&message.from))
}

fn read_text(given: &Given, input: &mut dyn Read) -> Result<String, Usage> {
    // A character takes up to four bytes; one byte more than fits is refused below.
    let bytes_max = TEXT_CHARS_MAX as u64 * 4 + 1;
    let mut bytes = Vec::new();
    let read = input.take(bytes_max).read_to_end(&mut bytes);
    read.map_err(|error| given.usage(format!("standard input cannot be read: {error}")))?;
    if bytes.len() as u64 == bytes_max {
        return Err(given.usage(format!("a message has at most {TEXT_CHARS_MAX} characters")));
    }
    let text = String::from_utf8(bytes).map_err(|_| given.usage("standard input is not UTF-8 text"))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
