//! What administrators may bring along: the messages of a file, as an export wrote it or another program.

use crate::base::limits::{
    IMPORT_BYTES_MAX, IMPORT_LINES_AT_ONCE_MAX, IMPORT_LINES_BYTES, IMPORT_REFUSED_LISTED_MAX,
};
use crate::chat::refusal::Refusal;
use crate::doors::http::arrival::{self, Arrival};
use crate::doors::http::refusal;
use crate::doors::http::rest::carry;
use crate::doors::http::route::route;
use crate::doors::http::{Call, Problem, Reply, Route, login};
use crate::node::import::{Arriving, Bringing, Brought, Imports, Unfit};
use crate::node::passwords::Digested;
use crate::node::{Caller, Node};
use hyper::StatusCode;
use serde_json::{Map, Value, json};
use std::io;

/// The rows of this family.
pub const ROUTES: &[Route] =
    &[route!(POST "/api/linnet/v1/import", LoggedIn, flows IMPORT_BYTES_MAX, Entering, import)];

/// The header that shows the caller's password again: the body is the file.
const PASSWORD: &str = "x-password";

/// A file's messages into rooms: `?format=jsonl&room=garden`. They are taken as they come, so that what breaks off has
/// brought what came before; bringing it again brings the rest.
async fn import(mut call: Call) -> Result<Reply, Problem> {
    let Some(mut arrival) = call.arrival.take() else { return Err(Problem::error("There is no body")) };
    // In a task of its own: who goes away ends what they send, but not that it is told.
    let importing = tokio::spawn(async move {
        let answer = begin(&call, &mut arrival).await;
        if answer.is_err() {
            arrival.discard().await;
        }
        answer
    });
    importing.await.unwrap_or(Err(Problem::Refused(Refusal::StoreFailed)))
}

async fn begin(call: &Call, arrival: &mut Arrival) -> Result<Reply, Problem> {
    let caller = call.caller()?.clone();
    call.site.node.read(|reading| reading.may_back_up(&caller))?;
    let password = call.headers.get(PASSWORD).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    let password = password.ok_or_else(|| {
        Problem::invalid_params("Your password once more? It goes into the header X-Password")
    })?;
    login::confirm(&call.site, call.peer_ip(), &caller, Digested::of_plain(password)?).await?;
    let place = carry::place(call)?;
    let format = call.query.get("format").unwrap_or("jsonl").to_owned();
    if format == "backup" {
        let how = "A backup is not restored into a node that serves: run 'linnet restore FILE --data NEW' on its machine";
        return Err(Problem::error(how));
    }
    let room = call.query.get("room").map(|room| room.trim_start_matches('#').to_owned());
    let open = call.site.import;
    let taking = async |flow| -> Result<Taking<'_>, Problem> {
        let paper = Paper { bringing: open(&format, Box::new(flow))?, room, waiting: None, broken: None };
        Ok(take_all(Taking { call, caller, done: Done::default(), failed: None }, paper).await)
    };
    let taking = arrival.flow(taking).await?;
    drop(place);
    taking.answer().await
}

/// An import under way.
struct Taking<'a> {
    call: &'a Call,
    caller: Caller,
    done: Done,
    failed: Option<Problem>,
}

/// What came of it so far.
#[derive(Default)]
struct Done {
    taken: u64,
    known: u64,
    refused: u64,
    listed: Vec<Value>,
    /// The last line that was looked at.
    line: u64,
    /// The first room that something went into, and whether there were others.
    room: Option<String>,
    rooms: bool,
}

async fn take_all(mut taking: Taking<'_>, mut paper: Paper) -> Taking<'_> {
    loop {
        // The file comes as slowly as it wants, and the node has one thread for all doors.
        let next = tokio::task::spawn_blocking(move || (paper.next_batch(), paper)).await;
        let Ok((next, back)) = next else {
            taking.failed = Some(Problem::Refused(Refusal::StoreFailed));
            return taking;
        };
        paper = back;
        let taken = match next {
            Ok(Some(batch)) => taking.take(batch).await,
            Ok(None) => return taking,
            Err(error) => Err(arrival::broken(error.kind(), IMPORT_BYTES_MAX)),
        };
        if let Err(problem) = taken {
            taking.failed = Some(problem);
            return taking;
        }
    }
}

impl Taking<'_> {
    async fn take(&mut self, batch: Batch) -> Result<(), Problem> {
        let Batch { room: name, lines, last } = batch;
        let node = &self.call.site.node;
        self.done.line = lines.first().map_or(last, |(line, _)| *line);
        let imports = match &name {
            None => Imports { refused: lines.into_iter().filter_map(unfit).collect(), ..Imports::default() },
            Some(name) => {
                let caller = self.caller.clone();
                let id = node.read(|reading| reading.imported_room(&caller, name))?.id.clone();
                let job = move |node: &mut Node| node.import_messages(&caller, &id, lines);
                node.call(&self.caller, job).await?
            }
        };
        self.done.line = last;
        self.done.add(imports, name);
        Ok(())
    }

    async fn answer(self) -> Result<Reply, Problem> {
        let Taking { call, caller, done, failed } = self;
        if let (Some(first), taken @ 1..) = (&done.room, done.taken) {
            let rooms = if done.rooms { format!("#{first} and others") } else { format!("#{first}") };
            tracing::info!(taken, rooms, "messages were imported");
            let name = caller.clone();
            let told =
                call.site.node.call(&caller, move |node| node.tell_imported(&name, taken, &rooms)).await;
            if let Err(refusal) = told {
                tracing::warn!(?refusal, "the administrators could not be told");
            }
        }
        match failed {
            Some(problem) => Err(done.broken_off(problem)),
            None if done.taken + done.known == 0 => Err(done.nothing()),
            None => Ok(Reply::success(done.fields())),
        }
    }
}

impl Done {
    fn add(&mut self, imports: Imports, room: Option<String>) {
        self.taken += imports.taken;
        self.known += imports.known;
        self.refused += imports.refused.len() as u64;
        if imports.taken > 0 {
            self.rooms |= self.room.is_some() && self.room != room;
            self.room = self.room.take().or(room);
        }
        let free = IMPORT_REFUSED_LISTED_MAX - self.listed.len();
        let listed = imports.refused.into_iter().take(free);
        self.listed.extend(listed.map(|(line, why)| json!({"line": line, "error": words(why)})));
    }

    fn fields(self) -> Map<String, Value> {
        let counts = json!({
            "taken": self.taken, "known": self.known, "refused": self.refused, "lines": self.listed,
        });
        let Value::Object(fields) = counts else { unreachable!("it is written as an object") };
        fields
    }

    /// The import ended before its file did.
    fn broken_off(self, problem: Problem) -> Problem {
        let line = self.line;
        let (status, mut fields) = match problem {
            Problem::Refused(refused) => {
                let words = refusal::words(&refused);
                (words.status, words.fields(refusal::Envelope::Rest))
            }
            Problem::Fields(status, fields) => (status, fields),
        };
        let key = if fields.contains_key("message") { "message" } else { "error" };
        let why = fields.get(key).and_then(Value::as_str).unwrap_or_default();
        let text = format!(
            "{why} (line {line}; {} were taken before: what is sent again is not doubled)",
            self.taken
        );
        fields.insert(key.into(), text.into());
        fields.insert("line".into(), line.into());
        fields.extend(self.fields());
        Problem::Fields(status, fields)
    }

    /// There was no message in it.
    fn nothing(self) -> Problem {
        let first = self.listed.first();
        let why = match first {
            Some(first) => format!("line {}: {}", first["line"], first["error"].as_str().unwrap_or_default()),
            None => "there is no message in it: is it of this format?".to_owned(),
        };
        let mut fields = refusal::coded("error-import-empty", &format!("Nothing was taken. {why}"));
        fields.extend(self.fields());
        Problem::Fields(StatusCode::BAD_REQUEST, fields)
    }
}

fn unfit((line, message): Line) -> Option<(u64, Unfit)> {
    message.err().map(|why| (line, why))
}

fn words(why: Unfit) -> String {
    match why {
        Unfit::Words(words) => words,
        Unfit::Refused(refusal) => refusal::words(&refusal).reason.into_owned(),
    }
}

type Line = (u64, Result<Arriving, Unfit>);

/// Some messages for one room; those that are none need no room.
struct Batch {
    room: Option<String>,
    lines: Vec<Line>,
    last: u64,
}

/// A file that is read, some messages at a time.
struct Paper {
    bringing: Box<dyn Bringing>,
    /// The room all go to, if the caller named one.
    room: Option<String>,
    /// The first of the next batch.
    waiting: Option<(Option<String>, Brought)>,
    /// What is told when what was read before is taken.
    broken: Option<io::Error>,
}

impl Paper {
    fn next_batch(&mut self) -> io::Result<Option<Batch>> {
        let mut batch = Batch { room: None, lines: Vec::new(), last: 0 };
        let mut bytes = 0;
        while batch.lines.len() < IMPORT_LINES_AT_ONCE_MAX && bytes < IMPORT_LINES_BYTES {
            let Some((room, brought)) = self.next() else { break };
            if batch.room.is_some() && room.is_some() && batch.room != room {
                self.waiting = Some((room, brought));
                break;
            }
            bytes += brought.bytes;
            batch.room = batch.room.take().or(room);
            batch.last = brought.line;
            batch.lines.push((brought.line, brought.message));
        }
        match self.broken.take() {
            Some(error) if batch.lines.is_empty() => Err(error),
            broken => {
                self.broken = broken;
                Ok(Some(batch).filter(|batch| !batch.lines.is_empty()))
            }
        }
    }

    /// The next message and the room it goes to; without one when it is none.
    fn next(&mut self) -> Option<(Option<String>, Brought)> {
        if let Some(waiting) = self.waiting.take() {
            return Some(waiting);
        }
        if self.broken.is_some() {
            return None;
        }
        let mut brought = match self.bringing.next_brought() {
            Ok(brought) => brought?,
            Err(error) => {
                self.broken = Some(error);
                return None;
            }
        };
        let named = Some(&brought.room).filter(|room| !room.is_empty());
        let room = self.room.as_ref().or(named).cloned().filter(|_| brought.message.is_ok());
        if room.is_none() && brought.message.is_ok() {
            brought.message = Err(Unfit::Words("it names no room: give one with ?room=NAME".to_owned()));
        }
        Some((room, brought))
    }
}
