//! Rooms on their way out as a file: a page of messages at a time, as long as the right to them lasts.

use super::record::Record;
use super::{Format, csv, html, mbox};
use crate::base::id::{RoomId, Seq};
use crate::base::limits::{PAGE_MESSAGES_MAX, SCAN_ENTRIES_MAX};
use crate::base::time::WallMs;
use crate::chat::refusal::Refusal;
use crate::chat::room::Room;
use crate::node::backup::{Carried, ExportOrder, Pieces};
use crate::node::{Caller, Catalog, NodeHandle, Reading, refuse};
use std::collections::VecDeque;
use std::sync::Arc;

/// An export on its way.
struct Export {
    node: NodeHandle,
    caller: Caller,
    format: Format,
    number: u64,
    since: Option<WallMs>,
    until: Option<WallMs>,
    rooms: VecDeque<RoomId>,
    /// Where the first room is left off; `None` before its first message.
    reached: Option<Seq>,
    begun: bool,
    ended: bool,
    carried: Carried,
}

/// Begins an export in the caller's name. Every room that is named must be theirs to take; without names the operator
/// gets all that have one.
pub fn begin(node: &NodeHandle, caller: &Caller, order: &ExportOrder) -> Result<Box<dyn Pieces>, Refusal> {
    let format = Format::of(&order.format).ok_or(super::FORMAT_UNKNOWN)?;
    let (rooms, number) = node.read(|reading| {
        let mut rooms = VecDeque::new();
        for name in &order.rooms {
            rooms.push_back(reading.exported_room(caller, name)?.0.id.clone());
        }
        if order.rooms.is_empty() {
            for room in reading.rooms(None, SCAN_ENTRIES_MAX).map_err(refuse)? {
                reading.may_export(caller, &room)?;
                rooms.push_back(room.id.clone());
            }
        }
        Ok((rooms, reading.node_number()?))
    })?;
    Ok(Box::new(Export {
        node: node.clone(),
        caller: caller.clone(),
        format,
        number,
        since: order.since,
        until: order.until,
        rooms,
        reached: None,
        begun: false,
        ended: false,
        carried: Carried::default(),
    }))
}

/// A room and the next of its messages.
type Page = (Arc<Room>, Vec<Record>);

impl Export {
    /// The next messages of the first room, whose right is asked for anew.
    fn page(&self, reading: &Reading, id: &RoomId) -> Result<Option<Page>, Refusal> {
        // A room that was removed meanwhile is no more to be had.
        let Some(room) = reading.room(id).map_err(refuse)? else { return Ok(None) };
        let permit = reading.may_export(&self.caller, &room)?;
        let messages = match (self.reached, self.since) {
            (None, Some(since)) => reading.messages_from(&permit, since, PAGE_MESSAGES_MAX)?,
            (reached, _) => {
                reading.messages_after(&permit, reached.unwrap_or_default(), PAGE_MESSAGES_MAX)?
            }
        };
        let wanted = messages.iter().take_while(|message| self.until.is_none_or(|until| message.at <= until));
        let records = wanted.map(|message| Record::of(&room, message)).collect();
        Ok(Some((room, records)))
    }

    fn write(&self, record: &Record, out: &mut Vec<u8>) {
        match self.format {
            Format::Jsonl => {
                out.extend_from_slice(record.line().as_bytes());
                out.push(b'\n');
            }
            Format::Html => html::message(record, out),
            Format::Csv => csv::message(record, out),
            Format::Mbox => mbox::message(record, self.number, out),
        }
    }

    fn head(&self, out: &mut Vec<u8>) {
        match self.format {
            Format::Html => html::head(out),
            Format::Csv => csv::head(out),
            Format::Jsonl | Format::Mbox => {}
        }
    }
}

impl Pieces for Export {
    fn next_piece(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        let mut out = Vec::new();
        if !std::mem::replace(&mut self.begun, true) {
            self.head(&mut out);
        }
        while out.is_empty() {
            let Some(id) = self.rooms.front() else {
                if !std::mem::replace(&mut self.ended, true) && self.format == Format::Html {
                    html::tail(&mut out);
                    return Ok(Some(out));
                }
                return Ok(None);
            };
            let page = self.node.read(|reading| self.page(reading, id))?;
            let (room, records) = match page {
                Some((room, records)) if !records.is_empty() => (room, records),
                _ => {
                    self.rooms.pop_front();
                    self.reached = None;
                    continue;
                }
            };
            if self.reached.is_none() && self.format == Format::Html {
                html::room(room.label(), &mut out);
            }
            for record in &records {
                self.write(record, &mut out);
                self.reached = Some(Seq(record.seq));
                self.carried.entries += 1;
                self.carried.last_seq = self.carried.last_seq.max(record.seq);
            }
        }
        Ok(Some(out))
    }

    fn carried(&self) -> Carried {
        self.carried.clone()
    }
}
