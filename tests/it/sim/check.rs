//! What the node has, held against the model.

use super::act::Crowd;
use super::live::is_of_a_start;
use super::model::{Model, Place, Said, bytes_of};
use super::topics;
use crate::harness::life::Life;
use linnet::base::id::{MessageId, RoomId, Seq};
use linnet::base::limits::DELETIONS_TOLD_MS;
use linnet::base::world::{Keeper, SimWorld, World};
use linnet::chat::change::{Change, What};
use linnet::chat::message::Message;
use linnet::chat::policy::Actor;
use linnet::node::Books;
use linnet::node::Catalog;
use linnet::node::history::Stretch;
use linnet::node::reading::Granted;
use linnet::node::start::start;
use linnet::store::disk::SimDisk;
use linnet::store::index::kv::{Shelf, Value};
use linnet::store::index::memory::MemoryKv;
use linnet::store::index::settled::Settled;
use linnet::store::journal::{self, Options, Pos};
use linnet::store::keys::{self, Key};
use linnet::store::record;
use linnet::store::record::own_id::OwnId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything acknowledged is in the journal, once, in order, the same bytes; then perhaps the whole group in flight,
/// and what starts themselves wrote. Says whether the group in flight was found, and takes in what is new.
pub fn journal(disk: &SimDisk, model: &mut Model, in_flight: &[Arc<Change>]) -> Result<bool, String> {
    let copy = disk.crash();
    let opened = journal::open(Arc::new(copy), OPTIONS, None).map_err(|e| e.to_string())?;
    let condensed: Vec<(u64, u64)> =
        opened.reader.segments().iter().filter_map(|segment| segment.seqs).collect();
    // What may go there, and whether nothing went that matters, is told by the state.
    let may_go = |seq: u64| condensed.iter().any(|(first, last)| (*first..=*last).contains(&seq));
    let mut known = model.journal.iter().peekable();
    let mut rest = Vec::new();
    for found in opened.reader.scan(Pos(0), opened.reader.end()) {
        let (_, frame) = found.map_err(|error| format!("the journal is damaged: {error}"))?;
        while known.next_if(|(known, _)| known.seq.0 < frame.seq && may_go(known.seq.0)).is_some() {}
        match known.next() {
            Some((change, bytes)) if change.seq.0 != frame.seq || *bytes != frame.payload => {
                if change.seq.0 != frame.seq || !may_go(frame.seq) || !is_erased(&frame) {
                    return Err(format!("{} was found instead of the acknowledged {change:?}", frame.seq));
                }
            }
            Some(_) => {}
            None => rest.push((frame.seq, frame.payload)),
        }
    }
    if let Some((lost, _)) = known.find(|(known, _)| !may_go(known.seq.0)) {
        return Err(format!("acknowledged and lost: {lost:?}"));
    }
    let whole = !in_flight.is_empty()
        && rest.len() >= in_flight.len()
        && rest.iter().zip(in_flight).all(|((seq, bytes), c)| *seq == c.seq.0 && *bytes == bytes_of(c));
    for (at, (seq, bytes)) in rest.iter().enumerate() {
        let change = record::change::decode(Seq(*seq), bytes).map_err(|error| error.to_string())?;
        let was_in_flight = whole && at < in_flight.len();
        if !was_in_flight && !is_of_a_start(&change) {
            return Err(format!("found and never said, or half of a group: {change:?}"));
        }
        model.take(Arc::new(change));
    }
    Ok(whole)
}

/// What stays of a message after its words went, and of what lost its packet ids.
fn is_erased(frame: &journal::Frame) -> bool {
    let change = record::change::decode(Seq(frame.seq), &frame.payload);
    change.is_ok_and(|change| {
        let is_message = matches!(change.what, What::Erased { .. } | What::Skipped { .. });
        is_message || matches!(change.what, What::Published { receipt: None, .. } | What::HandedOut { .. })
    })
}

/// What was promised is what the model has.
pub fn promises(model: &Model, promised: &BTreeMap<MessageId, Option<Message>>) -> Result<(), String> {
    let all: BTreeMap<&MessageId, &Option<Message>> =
        model.rooms.values().flat_map(|place| &place.said).map(|said| (&said.id, &said.message)).collect();
    let trimmed = |id: &MessageId| model.said(id).is_some_and(|said| said.trimmed);
    for (id, promise) in promised.iter().filter(|(id, _)| !trimmed(id)) {
        match (promise, all.get(id)) {
            (None, None | Some(None)) => {}
            // What was posted by its own id and is removed now is still the first answer to a repeat.
            (Some(_), Some(None)) if id.as_str().starts_with("own-") => {}
            (Some(said), Some(Some(now))) if said.text == now.text || id.as_str().starts_with("own-") => {}
            (promise, found) => return Err(format!("{id} was promised as {promise:?} and is {found:?}")),
        }
    }
    Ok(())
}

/// Every user, right, room, count and message is what the model says.
pub fn state(life: &Life, model: &Model, crowd: &Crowd) -> Result<(), String> {
    let reading = &life.parts.reading;
    let users = reading.users(None, 1_000).map_err(|error| error.to_string())?;
    let found: BTreeSet<_> = users.iter().map(|user| user.id.clone()).collect();
    if users.len() != found.len() || !found.iter().eq(model.users.keys()) {
        return Err(format!("the users are {found:?} and not {:?}", model.users.keys()));
    }
    for (room, place) in &model.rooms {
        let members = reading.members(room, None, 1_000).map_err(|error| error.to_string())?;
        if !members.iter().eq(place.members.keys()) {
            return Err(format!("in {room} are {members:?} and not {:?}", place.members.keys()));
        }
    }
    topics::check(life, &model.topics)?;
    let mut shown = BTreeSet::new();
    for (user, caller, hash) in &crowd.callers {
        let good = model.tokens.get(hash) == Some(user) && model.users[user].active;
        match reading.actor(caller) {
            Ok(actor) if good => seen_by(life, model, &actor, &mut shown)?,
            Ok(_) => return Err(format!("{user} acts with a token that is no longer good")),
            Err(refusal) if good => return Err(format!("{user} is refused: {refusal:?}")),
            Err(_) => {}
        }
    }
    Ok(())
}

/// The rooms one user may and may not read, and what they find there.
fn seen_by<'a>(
    life: &Life,
    model: &'a Model,
    actor: &Actor,
    shown: &mut BTreeSet<&'a linnet::base::id::RoomId>,
) -> Result<(), String> {
    let (reading, user) = (&life.parts.reading, &actor.user.id);
    for (id, place) in &model.rooms {
        let may = model.reads(user, id, model.newest());
        let granted = reading.room_for(actor, id.as_str());
        if granted.is_ok() != may {
            return Err(format!("{user} may read {id}: {may}, and the node says {granted:?}"));
        }
        if let Ok((_, granted)) = granted
            && shown.insert(id)
        {
            history(life, place, &granted)?;
            since(life, place, &granted)?;
        }
    }
    for place in reading.places(actor).map_err(|refusal| format!("{refusal:?}"))? {
        let said = &model.rooms[&place.room.id];
        let gone = said.said.iter().take_while(|said| said.trimmed).count() as u64;
        let read = said.members[user].read.max(gone);
        if place.unread() != (said.said.len() as u64).saturating_sub(read) {
            return Err(format!("{user} has {} unread in {}", place.unread(), place.room.id));
        }
    }
    Ok(())
}

/// Whether this is what was said. Once the clock was turned, only a message's own time is held against the model: of
/// when it was last edited only that it was not before.
fn is_it(found: &Message, said: &Said) -> bool {
    let Some(meant) = &said.message else { return false };
    if !said.turned {
        return found == meant;
    }
    let sane = found.touched >= found.at && found.edited.as_ref().is_none_or(|(at, ..)| *at >= found.at);
    let edited = found.edited.is_some() == meant.edited.is_some();
    let plain = |message: &Message| Message { touched: 0, edited: None, ..message.clone() };
    sane && edited && plain(found) == plain(meant)
}

/// The whole history is what was said and is still there, and its times never run backwards.
fn history(life: &Life, place: &Place, granted: &Granted) -> Result<(), String> {
    let reading = &life.parts.reading;
    let mut newest_first = Vec::new();
    let mut latest = None;
    for skip in (0..place.said.len() as u64 + 1).step_by(7) {
        let stretch = Stretch { latest: None, oldest: None, inclusive: false, skip, max: 7 };
        let page = reading.history(&granted.permit, stretch).map_err(|refusal| format!("{refusal:?}"))?;
        if page.total != place.said.len() as u64 {
            return Err(format!("{} messages in {} and not {}", page.total, place.room.id, place.said.len()));
        }
        newest_first.extend(page.messages);
        latest = latest.or(newest_first.first().map(|message: &Message| message.at));
    }
    // A removed message makes its page reach further back, into the next one.
    let mut seen = BTreeSet::new();
    newest_first.retain(|message| seen.insert(message.id.clone()));
    let expected: Vec<&Message> = place.said.iter().rev().filter_map(|said| said.message.as_ref()).collect();
    let said = place.said.iter().rev().filter(|said| said.message.is_some());
    let same = newest_first.len() == expected.len()
        && newest_first.iter().zip(said).all(|(found, said)| is_it(found, said));
    if !same {
        let extra = newest_first.iter().find(|found| expected.iter().all(|said| said.id != found.id));
        let lost = expected.iter().find(|said| newest_first.iter().all(|found| found.id != said.id));
        return Err(format!("the history of {} has {extra:?} and lacks {lost:?}", place.room.id));
    }
    if !newest_first.is_sorted_by(|newer, older| newer.at >= older.at) {
        return Err(format!("time runs backwards in {}", place.room.id));
    }
    // Some of them by id, which reads the journal.
    for said in place.said.iter().step_by(5) {
        let found = reading.message(&said.id).map_err(|refusal| format!("{refusal:?}"))?;
        if found.is_some() != said.message.is_some() || !found.as_ref().is_none_or(|found| is_it(found, said))
        {
            return Err(format!("{} is found as {found:?} and not {:?}", said.id, said.message));
        }
    }
    Ok(())
}

/// Who has a room up to some message is told of everything that came after it, whatever the clock did meanwhile.
fn since(life: &Life, place: &Place, granted: &Granted) -> Result<(), String> {
    let newest = place.said.iter().filter_map(|said| Some((said, said.message.as_ref()?)));
    let now = life.parts.reading.clock().now().wall_ms;
    for (known, message) in newest.step_by(17) {
        let since = life.parts.reading.changed_since(&granted.permit, message.at);
        let since = since.map_err(|refusal| format!("{refusal:?}"))?;
        for said in place.said.iter().filter(|said| said.touched > known.seq) {
            let told = match &said.message {
                Some(_) => since.updated.iter().any(|found| is_it(found, said)),
                // By a clock that leapt it may have been deleted long ago.
                None if said.removed_before(now.saturating_sub(DELETIONS_TOLD_MS)) => true,
                None => said.seq > known.seq || since.removed.iter().any(|(id, _)| *id == said.id),
            };
            if !told {
                return Err(format!("who has {} is not told of {}", known.id, said.id));
            }
        }
    }
    Ok(())
}

/// Small segments, as the node of a life has them: reserving large ones takes most of a life.
const OPTIONS: Options = Options { segment_bytes: 16 * 1024, salt: 0 };

type Dump = BTreeMap<Key, Value>;

fn dump(settled: &Settled) -> Dump {
    let all = settled.scan(&[], &[0xFF], 1_000_000).unwrap();
    let counts_starts = |key: &[u8]| [keys::CHECKPOINT, keys::BOOT, keys::NEWEST].contains(&key);
    // What condensing keeps for itself.
    let its_own = |key: &[u8]| key == keys::MOVED || key.starts_with(&keys::all_erasable());
    // A device's newest message may have been removed: then the journal knows an older one.
    let its_own = |key: &[u8]| its_own(key) || key.starts_with(&keys::all_heard());
    all.into_iter()
        .filter(|(key, value)| !counts_starts(key) && !its_own(key) && leads_somewhere(settled, key, value))
        .collect()
}

/// Whether anything leads to this key, or from it: what is left of rooms that are gone goes when it is condensed.
fn leads_somewhere(settled: &Settled, key: &[u8], value: &Value) -> bool {
    let of_room = |key: &[u8]| {
        let text = &key[1..];
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        RoomId::parse(std::str::from_utf8(&text[..end]).unwrap()).unwrap()
    };
    let exists = |room: &RoomId| settled.room(room).unwrap().is_some();
    let (block, own_id) = (keys::blocks(&RoomId::fixed("r"))[0], keys::own_id(&MessageId::fixed("m"))[0]);
    match key[0] {
        table if table == block || keys::is_trimmed(key) => exists(&of_room(key)),
        table if table == own_id => match record::own_id::decode(value).unwrap() {
            OwnId::Message(room, seq) => exists(&room) && settled.entry(&room, seq).unwrap().is_some(),
            OwnId::Former(_) => true,
        },
        _ => true,
    }
}

/// The index that followed every Change as it came is the one the journal alone gives.
pub fn index(life: &Life, world: &Arc<SimWorld>) -> Result<(), String> {
    // A start that knows the time would give an end to sessions that had none.
    world.set_keeper(Keeper::Nobody);
    let world: Arc<dyn World> = world.clone();
    let again = start(Arc::new(life.disk.crash()), Box::new(MemoryKv::default()), world, OPTIONS);
    let (parts, _) = again.map_err(|error| error.to_string())?;
    let (live, rebuilt) = (dump(&life.parts.settled), dump(&parts.settled));
    let differs = |key: &&Key| live.get(*key) != rebuilt.get(*key);
    let keys: BTreeSet<&Key> = live.keys().chain(rebuilt.keys()).filter(differs).collect();
    // A waymark may fall on the start that the rebuilding itself is.
    let newest = parts.reading.newest();
    let odd = keys.into_iter().find(|key| **key != keys::waymark(newest));
    match odd {
        Some(key) => Err(format!(
            "the index differs at {:?}: live {:?}, rebuilt {:?}",
            String::from_utf8_lossy(key),
            live.get(key).map(|value| String::from_utf8_lossy(value)),
            rebuilt.get(key).map(|value| String::from_utf8_lossy(value))
        )),
        None => Ok(()),
    }
}
