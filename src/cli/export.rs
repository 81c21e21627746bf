//! `linnet export` and `linnet import`: rooms as files for people, and back.

use super::args::{Given, Opt, Spec, Usage};
use super::backup::{is_pipe, write_out, write_to};
use super::table::plain;
use super::{Action, Backend, Failure, Streams, print_failure, talk};
use crate::base::date;
use crate::base::limits::{IMPORT_LINES_AT_ONCE_MAX, IMPORT_LINES_BYTES, IMPORT_REFUSED_LISTED_MAX};
use crate::config::Config;
use crate::doors::control::wire::{ImportLine, Imported, NotTaken, Reply, Request};
use crate::doors::papers::Format;
use crate::doors::papers::parse::Papers;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

pub(super) const EXPORT: Spec = Spec {
    words: "export",
    operands: &["FILE"],
    options: &[
        Opt::valued("--format", "FORMAT"),
        Opt::valued("--room", "ROOM"),
        Opt::valued("--since", "TIME"),
        Opt::valued("--until", "TIME"),
        Opt::switch("--force"),
    ],
    help: HELP,
    build: |given, _| {
        let rooms = given.value("--room").unwrap_or_default().split(',');
        let rooms = rooms.map(|room| room.trim().trim_start_matches('#').to_owned());
        let request = Request::Export {
            rooms: rooms.filter(|room| !room.is_empty()).collect(),
            format: format(&given)?.word().to_owned(),
            since: time(&given, "--since")?,
            until: time(&given, "--until")?,
        };
        let to = PathBuf::from(given.operand());
        Ok(Action::Export { sources: given.sources(), to, force: given.has("--force"), request })
    },
};

pub(super) const IMPORT: Spec = Spec {
    words: "import",
    operands: &["FILE"],
    options: &[Opt::valued("--format", "FORMAT"), Opt::valued("--room", "ROOM")],
    help: IMPORT_HELP,
    build: |given, _| {
        let room = given.value("--room").map(|room| room.trim_start_matches('#').to_owned());
        let format = format(&given)?;
        Ok(Action::Import { sources: given.sources(), from: PathBuf::from(given.operand()), format, room })
    },
};

const HELP: &str = "\
linnet export: rooms as a file for people

usage: linnet export FILE [--format FORMAT] [--room ROOM[,ROOM]...]
                     [--since TIME] [--until TIME] [--force]

  FILE             where it goes, '-' for standard output
  --format FORMAT  jsonl (complete), html (a page to read), csv (spreadsheets) or mbox (mail programs);
                   else as FILE ends
  --room ROOM      its name, or the id of a direct conversation; all rooms with a name unless given
  --since TIME     only messages from then on: 2024-05-01, 2024-05-01T12:00:00Z
  --until TIME     only messages up to then
  --force          replace a file that is there
  --data DIR       the node's data folder (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

Private rooms are in it: who runs the machine could read its disk as well. For a copy of the node take a backup.

examples:
  linnet export garden.html --room garden
  linnet export - --format jsonl --since 2024-05-01 | jq -r .text
";

const IMPORT_HELP: &str = "\
linnet import: messages from a file into a room

usage: linnet import FILE [--format FORMAT] [--room ROOM]

  FILE             what 'linnet export' wrote, or a CSV with columns time, author and text, or a mailbox of plain
                   text; '-' for standard input
  --format FORMAT  jsonl, html, csv or mbox; else as FILE ends
  --room ROOM      the room that takes them, by name; else each goes to the room it names
  --data DIR       the node's data folder (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

Rooms are not made: make them first. In an empty room messages show their own time; behind newer ones it stands beside
the author's name, for times in a room never run backwards. Authors who are no users here speak as 'NAME (imported)'.
What was imported before is not imported again. A record that does not fit is named by its line; the others go in.

examples:
  linnet import garden.jsonl --room garden
  linnet import old-list.mbox --room archive
";

fn format(given: &Given) -> Result<Format, Usage> {
    let file = given.operand();
    let ending = Path::new(&file).extension().and_then(|ending| ending.to_str());
    let word = given.value("--format").or(ending);
    word.and_then(Format::of).ok_or_else(|| given.usage("which format? --format jsonl, html, csv or mbox"))
}

fn time(given: &Given, option: &str) -> Result<Option<u64>, Usage> {
    let Some(text) = given.value(option) else { return Ok(None) };
    let ms = date::parse(text);
    ms.map(Some).ok_or_else(|| given.usage(format!("'{option}' takes a time such as 2024-05-01T12:00:00Z")))
}

/// Writes the export; the number is the exit code.
pub(super) fn export(
    to: &Path,
    force: bool,
    request: &Request,
    config: &Config,
    backend: &dyn Backend,
    streams: &mut Streams<'_>,
) -> io::Result<u8> {
    // A reader who had enough of it is no failure, other than with a backup.
    let written = match is_pipe(to) {
        true => write_out(request, config, backend, streams)?,
        false => write_to(to, force, request, config, backend, streams),
    };
    match written {
        Ok(fetched) => writeln!(streams.err, "exported {} messages", fetched.entries).map(|()| 0),
        Err(failure) => print_failure(&failure, streams),
    }
}

/// Takes the file in; the number is the exit code: 1 when a record was refused.
pub(super) fn import(
    from: &Path,
    format: Format,
    room: Option<String>,
    config: &Config,
    backend: &dyn Backend,
    streams: &mut Streams<'_>,
) -> io::Result<u8> {
    let taken = if from.as_os_str() == "-" {
        take_in(&mut BufReader::new(&mut *streams.input), format, room, config, backend)
    } else {
        match File::open(from) {
            Ok(file) => take_in(&mut BufReader::new(file), format, room, config, backend),
            Err(error) => Err(Failure {
                message: format!("cannot read {}: {error}", plain(&from.to_string_lossy())),
                hint: Some("is the name right?".to_owned()),
            }),
        }
    };
    let done = match taken {
        Ok(done) => done,
        Err(failure) => return print_failure(&failure, streams),
    };
    let Imported { taken, known, refused } = &done.imported;
    writeln!(streams.out, "{taken} messages taken, {known} were there already, {} refused", done.refused)?;
    for NotTaken { line, why } in refused {
        writeln!(streams.err, "line {line}: {}", plain(why))?;
    }
    if done.refused > refused.len() as u64 {
        writeln!(streams.err, "... and {} more", done.refused - refused.len() as u64)?;
    }
    Ok(u8::from(done.refused > 0))
}

/// What came of an import so far.
#[derive(Default)]
struct Done {
    imported: Imported,
    refused: u64,
}

impl Done {
    fn refuse(&mut self, refused: NotTaken) {
        self.refused += 1;
        if self.imported.refused.len() < IMPORT_REFUSED_LISTED_MAX {
            self.imported.refused.push(refused);
        }
    }
}

fn take_in(
    input: &mut dyn BufRead,
    format: Format,
    room: Option<String>,
    config: &Config,
    backend: &dyn Backend,
) -> Result<Done, Failure> {
    let mut done = Done::default();
    let mut batches = Batches { papers: Papers::new(input, format), room, waiting: None, broken: None };
    let mut failure = None;
    let ended = talk::converse(config, backend, &mut |reply| {
        match reply {
            Some(Reply::Refused { message, hint }) => {
                failure = Some(Failure { message, hint });
                return None;
            }
            Some(Reply::Ok { value } | Reply::Item { value }) => {
                let imported: Imported = serde_json::from_value(value).unwrap_or_default();
                done.imported.taken += imported.taken;
                done.imported.known += imported.known;
                imported.refused.into_iter().for_each(|refused| done.refuse(refused));
            }
            None => {}
        }
        batches.next(&mut done)
    });
    let broken =
        batches.broken.map(|error| Failure { message: format!("cannot read on: {error}"), hint: None });
    match failure.or(ended.err()).or(broken) {
        Some(Failure { message, hint }) => {
            let so_far = format!("{message}; {} messages were taken before", done.imported.taken);
            Err(Failure { message: so_far, hint })
        }
        None => Ok(done),
    }
}

/// Records of a file, some at a time, all of a batch for one room.
struct Batches<'a> {
    papers: Papers<&'a mut dyn BufRead>,
    room: Option<String>,
    /// The first of the next batch.
    waiting: Option<(String, ImportLine)>,
    broken: Option<io::Error>,
}

impl Batches<'_> {
    fn next(&mut self, done: &mut Done) -> Option<Request> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let mut place: Option<String> = None;
        while batch.len() < IMPORT_LINES_AT_ONCE_MAX && bytes < IMPORT_LINES_BYTES {
            let Some((room, line)) = self.waiting.take().or_else(|| self.record(done)) else { break };
            if place.as_ref().is_some_and(|place| *place != room) {
                self.waiting = Some((room, line));
                break;
            }
            bytes += line.record.to_string().len();
            place = Some(room);
            batch.push(line);
        }
        Some(Request::Import { room: place?, lines: batch })
    }

    /// The next record that is one, and its room; those that are none are noted.
    fn record(&mut self, done: &mut Done) -> Option<(String, ImportLine)> {
        loop {
            let found = match self.papers.next_record() {
                Ok(found) => found?,
                Err(error) => {
                    self.broken = Some(error);
                    return None;
                }
            };
            let refused = match found.record {
                Err(why) => why,
                Ok(record) => {
                    let room = self.room.clone().unwrap_or_else(|| record.room.clone());
                    if !room.is_empty() {
                        let record = serde_json::to_value(record).expect("records are plain JSON");
                        return Some((room, ImportLine { line: found.line, record }));
                    }
                    "it names no room: give one with --room".to_owned()
                }
            };
            done.refuse(NotTaken { line: found.line, why: refused });
        }
    }
}
