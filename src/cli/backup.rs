//! `linnet backup` and `linnet restore`: everything a node keeps, as one file, and back.

use super::args::{Given, Opt, Spec, Usage};
use super::table::{bytes, plain, utc};
use super::{Action, Backend, Failure, Streams, print_failure, talk};
use crate::config::Config;
use crate::doors::control::wire::{Fetched, Reply, Request};
use crate::store::backup::folder::Saving;
use crate::store::backup::{BackupError, Mode, Outcome, Source};
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

pub(super) const BACKUP: Spec = Spec {
    words: "backup",
    operands: &["FILE"],
    options: &[Opt::switch("--force"), Opt::switch("--verify")],
    help: HELP,
    build: |given, _| match (given.has("--verify"), given.has("--force")) {
        (true, true) => Err(given.usage("--verify writes nothing, so there is nothing to --force")),
        (true, false) => job(&given, Job::Verify { from: place(&given) }),
        (false, force) => job(&given, Job::Backup { to: place(&given), force }),
    },
};

pub(super) const RESTORE: Spec = Spec {
    words: "restore",
    operands: &["FILE"],
    options: &[Opt::switch("--salvage")],
    help: RESTORE_HELP,
    build: |given, _| {
        let mode = if given.has("--salvage") { Mode::Salvage } else { Mode::Whole };
        job(&given, Job::Restore { from: place(&given), mode })
    },
};

const HELP: &str = "\
linnet backup: everything the node keeps, as one file

usage: linnet backup FILE [--force]
       linnet backup --verify FILE

  FILE             where it goes, '-' for standard output
  --force          replace a file that is there
  --verify         read a backup, '-' for standard input, and say whether it is whole
  --data DIR       the node's data folder (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

The node goes on meanwhile; everything it acknowledged before this began is in it. Whoever holds the file can read
all rooms: it is written for its owner's eyes only. There are no uploads yet that could be in it or not. What was
deleted for good before stays in older backups.

examples:
  linnet backup /media/stick/linnet.backup
  linnet backup - | ssh nas 'cat > linnet.backup'
  linnet backup --verify /media/stick/linnet.backup
";

const RESTORE_HELP: &str = "\
linnet restore: a data folder from a backup

usage: linnet restore FILE [--salvage] [--data DIR]

  FILE             the backup, '-' for standard input
  --salvage        take what is readable of a damaged backup, and say what is missing
  --data DIR       a folder that is empty or not there yet (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

Ids, times, passwords and tokens are as they were. The backup is checked to its last byte before the folder is one;
a cut or damaged one leaves nothing behind. The first start builds the index. It is the same node that begins again:
do not run it beside the one the backup is from.

examples:
  linnet restore /media/stick/linnet.backup
  ssh nas 'cat linnet.backup' | linnet restore - --data /var/lib/linnet
";

/// What is to be done with which file.
#[derive(Debug)]
pub(crate) enum Job {
    Backup { to: PathBuf, force: bool },
    Verify { from: PathBuf },
    Restore { from: PathBuf, mode: Mode },
}

fn job(given: &Given, job: Job) -> Result<Action, Usage> {
    Ok(Action::Backup { sources: given.sources(), job })
}

fn place(given: &Given) -> PathBuf {
    PathBuf::from(given.operand())
}

pub(super) fn is_pipe(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Does it; the number is the exit code.
pub(super) fn perform(
    job: Job,
    config: &Config,
    backend: &dyn Backend,
    streams: &mut Streams<'_>,
) -> io::Result<u8> {
    let done = match job {
        Job::Backup { to, force } => {
            write_to(&to, force, &Request::Backup, config, backend, streams).map(|fetched| {
                let what =
                    format!("a backup of {} Changes, up to sequence {}", fetched.entries, fetched.last_seq);
                let next =
                    (!is_pipe(&to)).then(|| format!("next: linnet backup --verify {}\n", to.display()));
                format!("{what}\n{}{}", damage_words(&fetched), next.unwrap_or_default())
            })
        }
        Job::Verify { from } => verify(&from, streams.input),
        Job::Restore { from, mode } => restore(&from, mode, config, backend, streams.input),
    };
    match done {
        // Standard output may be the backup itself.
        Ok(words) => write!(streams.err, "{words}").map(|()| 0),
        Err(failure) => print_failure(&failure, streams),
    }
}

/// Writes what a request gives to a file, which is there whole or not at all, or to standard output.
pub(super) fn write_to(
    to: &Path,
    force: bool,
    request: &Request,
    config: &Config,
    backend: &dyn Backend,
    streams: &mut Streams<'_>,
) -> Result<Fetched, Failure> {
    let shown = plain(&to.to_string_lossy());
    if is_pipe(to) {
        let written = write_out(request, config, backend, streams);
        return written.unwrap_or_else(|error| Err(cannot_write("standard output", &error)));
    }
    let mut saving = Saving::begin(to, force).map_err(|error| cannot_write(&shown, &error))?;
    let fetched = fetch(request, config, backend, &mut |piece| saving.write_all(piece))?;
    saving.keep().map_err(|error| cannot_write(&shown, &error))?;
    Ok(fetched)
}

/// Writes what a request gives to standard output; the error is that of whoever reads there.
pub(super) fn write_out(
    request: &Request,
    config: &Config,
    backend: &dyn Backend,
    streams: &mut Streams<'_>,
) -> io::Result<Result<Fetched, Failure>> {
    if io::stdout().is_terminal() {
        let message = "a terminal is no place for this".to_owned();
        return Ok(Err(Failure { message, hint: Some("send it on, such as: ... - > FILE".to_owned()) }));
    }
    let mut untaken = None;
    let fetched = fetch(request, config, backend, &mut |piece| {
        streams.out.write_all(piece).map_err(|error| {
            let kind = error.kind();
            untaken = Some(error);
            kind.into()
        })
    });
    match untaken {
        Some(error) => Err(error),
        None => streams.out.flush().map(|()| fetched),
    }
}

fn fetch(
    request: &Request,
    config: &Config,
    backend: &dyn Backend,
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<Fetched, Failure> {
    match talk::fetch(config, request, backend, take) {
        Reply::Refused { message, hint } => Err(Failure { message, hint }),
        Reply::Ok { value } | Reply::Item { value } => serde_json::from_value(value).map_err(|error| {
            Failure { message: format!("the node's answer makes no sense: {error}"), hint: None }
        }),
    }
}

fn cannot_write(shown: &str, error: &io::Error) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::AlreadyExists => "choose another name, or replace it with --force",
        io::ErrorKind::NotFound => "is the folder there, and the stick mounted?",
        io::ErrorKind::StorageFull => "free some space there, or choose another place",
        _ => "look at the disk, or choose another place",
    };
    let why = match error.kind() {
        io::ErrorKind::AlreadyExists => "there is such a file already".to_owned(),
        _ => error.to_string(),
    };
    Failure { message: format!("cannot write {shown}: {why}"), hint: Some(hint.to_owned()) }
}

/// What of the journal is not in what was fetched.
pub(super) fn damage_words(fetched: &Fetched) -> String {
    if fetched.damaged == 0 {
        return String::new();
    }
    let listed: String = fetched.damage.iter().map(|damage| format!("  {}\n", plain(damage))).collect();
    let head = "warning: parts of the journal cannot be read and are missing";
    format!("{head} ({} of them; 'linnet check' says more)\n{listed}", fetched.damaged)
}

fn with_input<T>(
    from: &Path,
    input: &mut dyn Read,
    go_on: impl FnOnce(&mut dyn Read) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if is_pipe(from) {
        return go_on(input);
    }
    let mut file = File::open(from).map_err(|error| Failure {
        message: format!("cannot read {}: {error}", plain(&from.to_string_lossy())),
        hint: Some("is the name right, and the stick mounted?".to_owned()),
    })?;
    go_on(&mut file)
}

fn verify(from: &Path, input: &mut dyn Read) -> Result<String, Failure> {
    let read = |input: &mut dyn Read| -> Result<Outcome, BackupError> {
        let mut source = Source::open(input, Mode::Whole)?;
        while source.next_changes(|_, _| Ok(()))? {}
        Ok(source.finish())
    };
    let outcome = with_input(from, input, |input| read(input).map_err(|error| refused(&error)))?;
    let (head, read) = (&outcome.head, &outcome.read);
    let doubt = if head.trusted { "" } else { ", by a clock that was not set" };
    Ok(format!(
        "whole: {} Changes ({}) up to sequence {}, begun {}{doubt}, by linnet {}\n{}",
        read.changes,
        bytes(read.bytes),
        head.last_seq,
        utc(head.created),
        plain(&head.version),
        damage_words(&Fetched {
            damaged: read.damaged,
            damage: read.damage.iter().map(ToString::to_string).collect(),
            ..Fetched::default()
        }),
    ))
}

fn restore(
    from: &Path,
    mode: Mode,
    config: &Config,
    backend: &dyn Backend,
    input: &mut dyn Read,
) -> Result<String, Failure> {
    let outcome = with_input(from, input, |input| backend.restore(&config.data, input, mode))?;
    let mut words =
        format!("restored {} Changes up to sequence {}\n", outcome.read.changes, outcome.read.last_seq);
    if !outcome.is_whole() {
        words += &match outcome.missing {
            Some(missing) => format!("missing: {missing} Changes that were in the backup cannot be read\n"),
            None => "missing: the end of the backup, and nobody can tell how much was in it\n".to_owned(),
        };
        for gap in &outcome.listed {
            words += &format!("  bytes {} to {} are damaged\n", gap.from, gap.to);
        }
    }
    words += &damage_words(&Fetched {
        damaged: outcome.read.damaged,
        damage: outcome.read.damage.iter().map(ToString::to_string).collect(),
        ..Fetched::default()
    });
    Ok(words + &format!("next: linnet serve --data {}\n", config.data.display()))
}

/// A backup that is not taken, for the person who holds it.
pub(crate) fn refused(error: &BackupError) -> Failure {
    let hint = match error {
        BackupError::Cut { .. } | BackupError::Damaged { .. } => {
            Some("take another backup, or 'linnet restore --salvage' for what is readable".to_owned())
        }
        _ => None,
    };
    Failure { message: error.to_string(), hint }
}
