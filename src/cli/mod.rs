//! The command line: what was asked, who answers, how it is printed, and the exit code.
//!
//! A command is one [`Spec`] in the file of its group: words, operands, options, help, and a function that makes an
//! [`Action`]. What a command wants from the node is a [`Request`], asked over the control socket, or of the store
//! through [`Backend::offline`] when no node runs. Exit codes: 0 done, 1 refused or failed, 2 not understood.

mod args;
pub(crate) mod backup;
mod board;
mod check;
mod clock;
mod compact;
mod config;
mod device;
mod export;
pub mod greeting;
pub mod here;
pub mod machine;
mod mqtt;
pub mod notify;
mod owner;
mod pins;
mod post;
mod room;
mod serve;
mod status;
pub(crate) mod table;
mod tail;
mod talk;
mod user;

use crate::base::near::nearest;
use crate::base::pins::PinName;
use crate::config::{Config, Loaded, Sources};
use crate::doors::control::wire::{Reply, Request};
use crate::doors::papers::Format;
use crate::store::backup::{Mode, Outcome};
use args::{Spec, Usage};
use here::Here;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What the command line needs from the rest of the program.
pub trait Backend {
    /// Called before anything is read for serving.
    fn begin_to_serve(&self) {}

    /// Serves until the node is told to stop.
    fn serve(&self, settings: Loaded, test_mode: bool) -> Result<(), Failure>;

    /// Answers from the store while no node runs. A [`Request::Tail`] is answered with the list of its messages.
    fn offline(&self, config: &Config, request: Request) -> Reply;

    /// Gives the bytes a request asks for from the store while no node runs. Returns the last reply.
    fn fetch_offline(
        &self,
        data: &Path,
        request: &Request,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Reply;

    /// Answers one request after the other from the store while no node runs: `next` is given each reply.
    fn converse_offline(
        &self,
        data: &Path,
        next: &mut dyn FnMut(Option<Reply>) -> Option<Request>,
    ) -> Result<(), Failure>;

    /// Makes this folder the data folder that a backup holds.
    fn restore(&self, data: &Path, input: &mut dyn Read, mode: Mode) -> Result<Outcome, Failure>;

    /// The machine and the terminal.
    fn here(&self) -> Here {
        Here::of_process()
    }
}

/// Why something was not done, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What a command line asks for.
#[derive(Debug)]
pub(crate) enum Action {
    /// Run the node.
    Serve { sources: Sources, test_mode: bool },
    /// Print the defaults, or where each value comes from.
    Config { sources: Sources, origin: bool },
    /// Ask the node, or the store.
    Ask { sources: Sources, request: Request, json: bool },
    /// Ask about a device, and print what to paste into it.
    Block { sources: Sources, request: Request, dialect: &'static device::Dialect },
    /// Take, check or restore a backup.
    Backup { sources: Sources, job: backup::Job },
    /// Rooms as a file.
    Export { sources: Sources, to: PathBuf, force: bool, request: Request },
    /// A file into a room.
    Import { sources: Sources, from: PathBuf, format: Format, room: Option<String> },
    /// Tell which board this is.
    Board { sources: Sources, form: board::Form },
    /// Draw the header, or show one pin.
    Pins { sources: Sources, pin: Option<PinName>, json: bool },
    /// Look around at a broker.
    Connect { sources: Sources, job: mqtt::Job },
    /// See what topics of another broker say.
    Try { sources: Sources, job: mqtt::look::Job },
    /// Print a text.
    Print(String),
}

/// The three streams of a process.
pub(crate) struct Streams<'a> {
    /// Passwords and texts.
    pub input: &'a mut dyn Read,
    /// What was asked for.
    pub out: &'a mut dyn Write,
    /// What went wrong.
    pub err: &'a mut dyn Write,
}

const SPECS: &[&Spec] = &[
    &serve::SERVE,
    &config::CONFIG,
    &owner::OWNER,
    &user::ADD,
    &user::LIST,
    &user::PASSWD,
    &device::ADD,
    &device::ALLOW,
    &device::KEY,
    &device::LIST,
    &device::SHOW,
    &device::REMOVE,
    &room::LIST,
    &room::RETENTION,
    &compact::COMPACT,
    &post::POST,
    &tail::TAIL,
    &status::STATUS,
    &clock::CLOCK,
    &mqtt::CONNECT,
    &mqtt::look::TRY,
    &board::BOARD,
    &pins::PINS,
    &backup::BACKUP,
    &backup::RESTORE,
    &check::CHECK,
    &check::REBUILD,
    &export::EXPORT,
    &export::IMPORT,
    &HELP_SPEC,
];

const HELP_SPEC: Spec = Spec {
    words: "help",
    operands: &["[COMMAND]"],
    options: &[],
    help: HELP,
    build: |_, _| Ok(Action::Print(HELP.into())),
};

const HELP: &str = "\
linnet: a chat node for things and people

usage: linnet [COMMAND] [OPTIONS]

  serve                   run the node; 'linnet' alone does the same
  config                  print every setting; --origin says where each value comes from
  owner                   print a fresh link that makes its opener the owner
  user add|list|passwd    people and bots
  device add|allow|key|list|show|remove
                          things with a token of their own, and what to paste into them
  room list|retention     rooms, and how long they keep what was said
  post ROOM [TEXT]        say something in a room
  tail ROOM               show what is said in a room, as it is said
  compact                 take deleted words off the disk now and give space back
  status                  how the node is
  mqtt connect URL        what devices are at a broker, and the bridges that bring them in
  mqtt try FILTER         what topics say, and how it would read in a room
  clock [set [TIME]]      what time the node believes it is; sets it where the machine does not know
  board                   which board this is, and what linnet may use of it
  pins [PIN]              the board's header, with who has which pin
  check                   whether everything can be read; --repair what is wrong
  rebuild-index           build the index anew from the journal
  backup FILE             everything, as one file; --verify reads one
  restore FILE            a data folder from a backup
  export FILE             rooms as a file for people
  import FILE             messages from such a file into a room

  --data DIR              the folder that holds everything (./linnet-data)
  --config FILE           settings to read (./linnet.toml, else /etc/linnet/linnet.toml)
  -h, --help              this text, or a command's own: 'linnet device --help'
  -V, --version           the version

Commands talk to the running node of the same data folder, and to its store when none runs.

examples:
  linnet                                    run a node here; it prints where to open it
  linnet device add porch --room garden     a token for a device, with a line to post by
  linnet post garden \"tea is ready\"
  linnet status --json
";

/// Runs the command line to its end.
pub fn run(args: impl IntoIterator<Item = OsString>, backend: &dyn Backend) -> ExitCode {
    let (mut input, mut out, mut err) = (io::stdin(), io::stdout(), io::stderr());
    let args: Vec<OsString> = args.into_iter().collect();
    ExitCode::from(run_with(&args, backend, &mut Streams { input: &mut input, out: &mut out, err: &mut err }))
}

/// As [`run`], with the streams of the caller's choice.
pub(crate) fn run_with(args: &[OsString], backend: &dyn Backend, streams: &mut Streams<'_>) -> u8 {
    let outcome = match parse(args, streams.input) {
        Ok(action) => perform(action, backend, streams),
        Err(usage) => {
            let help = format!("linnet {} --help", usage.command).replace("  ", " ");
            let _ = writeln!(streams.err, "linnet: {}\n  try '{help}'", usage.message);
            return 2;
        }
    };
    match outcome {
        Ok(code) => code,
        // Whoever reads had enough, as in 'linnet tail garden | head': no failure of ours.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            let _ = writeln!(streams.err, "linnet: cannot write: {error}");
            1
        }
    }
}

/// What a command line asks for.
fn parse(args: &[OsString], input: &mut dyn Read) -> Result<Action, Usage> {
    let word = |index: usize| args.get(index).and_then(|word| word.to_str());
    match word(0) {
        Some("-h" | "--help") => return Ok(Action::Print(HELP.to_owned())),
        Some("-V" | "--version") => {
            return Ok(Action::Print(format!("linnet {}\n", env!("CARGO_PKG_VERSION"))));
        }
        Some("help") => return help_of(word(1)),
        _ => {}
    }
    let (spec, used) = find(word(0), word(1))?;
    let Some(spec) = spec else { return help_of(word(0)) };
    let given = spec.read(&args[used..])?;
    if given.help {
        return Ok(Action::Print(spec.help.to_owned()));
    }
    (spec.build)(given, input)
}

/// The command of the first words and how many of them name it; none when help about a group is asked for.
fn find(first: Option<&str>, second: Option<&str>) -> Result<(Option<&'static Spec>, usize), Usage> {
    let Some(first) = first.filter(|word| !word.starts_with('-')) else {
        return Ok((Some(&serve::SERVE), 0));
    };
    if let Some(spec) = SPECS.iter().find(|spec| spec.words == first) {
        return Ok((Some(spec), 1));
    }
    let members =
        || SPECS.iter().filter_map(|spec| Some((spec.words.strip_prefix(first)?.strip_prefix(' ')?, *spec)));
    let names: Vec<&str> = members().map(|(name, _)| name).collect();
    if names.is_empty() {
        let groups = SPECS.iter().filter_map(|spec| spec.words.split(' ').next());
        let meant =
            nearest(first, groups).map_or(String::new(), |meant| format!("; did you mean '{meant}'?"));
        let message = format!("no command '{}'{meant}", first.escape_debug());
        return Err(Usage { message, command: String::new() });
    }
    let wrong = |message: String| Usage { message, command: first.to_owned() };
    match second {
        Some("-h" | "--help") => Ok((None, 0)),
        Some(second) => match members().find(|(name, _)| *name == second) {
            Some((_, spec)) => Ok((Some(spec), 2)),
            None => {
                let meant = nearest(second, names.iter().copied());
                let meant = meant.map_or(format!("it has {}", names.join(", ")), |meant| {
                    format!("did you mean '{meant}'?")
                });
                Err(wrong(format!("'{first}' has no command '{}'; {meant}", second.escape_debug())))
            }
        },
        None => Err(wrong(format!("'{first}' needs one of: {}", names.join(", ")))),
    }
}

fn help_of(command: Option<&str>) -> Result<Action, Usage> {
    let Some(command) = command else { return Ok(Action::Print(HELP.to_owned())) };
    let spec = SPECS.iter().find(|spec| spec.words.split(' ').next() == Some(command));
    match spec {
        Some(spec) => Ok(Action::Print(spec.help.to_owned())),
        None => find(Some(command), None).map(|_| Action::Print(HELP.to_owned())),
    }
}

/// Does it; the number is the exit code.
fn perform(action: Action, backend: &dyn Backend, streams: &mut Streams<'_>) -> io::Result<u8> {
    match action {
        Action::Print(text) => streams.out.write_all(text.as_bytes()).map(|()| 0),
        Action::Config { origin: false, .. } => config::print_defaults(streams).map(|()| 0),
        Action::Config { sources, .. } => with_settings(&sources, streams, |loaded, streams| {
            config::print_origins(&loaded, streams).map(|()| 0)
        }),
        Action::Serve { sources, test_mode } => {
            backend.begin_to_serve();
            with_settings(&sources, streams, |loaded, streams| {
                match serve::serve(loaded, test_mode, backend) {
                    Ok(()) => Ok(0),
                    Err(failure) => print_failure(&failure, streams),
                }
            })
        }
        Action::Ask { sources, request, json } => with_settings(&sources, streams, |loaded, streams| {
            talk::ask(&loaded.config, request, json, backend, streams)
        }),
        Action::Block { sources, request, dialect } => with_settings(&sources, streams, |loaded, streams| {
            device::print_block(&loaded.config, &request, dialect, backend, streams)
        }),
        Action::Connect { sources, job } => with_settings(&sources, streams, |loaded, streams| {
            mqtt::connect(&job, &sources, &loaded.config, streams)
        }),
        Action::Try { sources, job } => with_settings(&sources, streams, |loaded, streams| {
            mqtt::look::try_elsewhere(&job, &loaded.config, streams)
        }),
        Action::Board { sources, form } => with_settings(&sources, streams, |loaded, streams| {
            board::print(&backend.here(), &loaded.config, form, streams).map(|()| 0)
        }),
        Action::Pins { sources, pin, json } => with_settings(&sources, streams, |loaded, streams| {
            pins::print(&backend.here(), &loaded.config, (pin, json), streams)
        }),
        Action::Export { sources, to, force, request } => {
            with_settings(&sources, streams, |loaded, streams| {
                export::export(&to, force, &request, &loaded.config, backend, streams)
            })
        }
        Action::Import { sources, from, format, room } => {
            with_settings(&sources, streams, |loaded, streams| {
                export::import(&from, format, room, &loaded.config, backend, streams)
            })
        }
        Action::Backup { sources, job } => with_settings(&sources, streams, |loaded, streams| {
            backup::perform(job, &loaded.config, backend, streams)
        }),
    }
}

/// Goes on with the settings, or says what is wrong with them.
fn with_settings(
    sources: &Sources,
    streams: &mut Streams<'_>,
    go_on: impl FnOnce(Loaded, &mut Streams<'_>) -> io::Result<u8>,
) -> io::Result<u8> {
    let loaded = match Config::load(sources) {
        Ok(loaded) => loaded,
        Err(error) => {
            writeln!(streams.err, "{error}")?;
            return Ok(if error.is_usage() { 2 } else { 1 });
        }
    };
    for warning in &loaded.warnings {
        writeln!(streams.err, "linnet: warning: {warning}")?;
    }
    go_on(loaded, streams)
}

/// Says what is wrong and what to do; the exit code of a failure.
fn print_failure(failure: &Failure, streams: &mut Streams<'_>) -> io::Result<u8> {
    writeln!(streams.err, "linnet: {}", table::plain(&failure.message))?;
    if let Some(hint) = &failure.hint {
        writeln!(streams.err, "  {}", table::plain(hint))?;
    }
    Ok(1)
}

#[cfg(test)]
mod tests;
