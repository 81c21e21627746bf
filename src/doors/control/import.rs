//! Messages from a file, as the command line brings them: some at a time, each with the line it stands on.

use super::answer::{OPERATOR, Surroundings, named_room};
use super::wire::{ImportLine, Imported, NotTaken, Reply};
use crate::base::limits::IMPORT_LINES_AT_ONCE_MAX;
use crate::chat::refusal::Refusal;
use crate::node::import::Unfit;
use crate::node::{Node, NodeHandle};

/// Takes these messages into a room, in order. Those that do not fit are named; they stop no other.
pub async fn import(
    node: &NodeHandle,
    around: &Surroundings,
    room: &str,
    lines: Vec<ImportLine>,
) -> Result<Reply, Refusal> {
    if lines.len() > IMPORT_LINES_AT_ONCE_MAX {
        return Err(Refusal::TooMany { what: "messages at once", max: IMPORT_LINES_AT_ONCE_MAX });
    }
    let read = around.read_record.ok_or(Refusal::Busy)?;
    let id = node.read(|reading| named_room(reading, room))?.id.clone();
    let lines = lines.into_iter().map(|ImportLine { line, record }| (line, read(line, record))).collect();
    let take = move |node: &mut Node| node.import_messages(&OPERATOR, &id, lines);
    let imports = node.call(&OPERATOR, take).await?;
    let refused = imports.refused.into_iter().map(|(line, why)| NotTaken { line, why: words(why) });
    let (taken, known) = (imports.taken, imports.known);
    Ok(Reply::ok(&Imported { taken, known, refused: refused.collect() }))
}

fn words(why: Unfit) -> String {
    match why {
        Unfit::Words(words) => words,
        Unfit::Refused(refusal) => match super::words::refused(&refusal) {
            Reply::Refused { message, .. } => message,
            Reply::Ok { .. } | Reply::Item { .. } => String::new(),
        },
    }
}
