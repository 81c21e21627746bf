//! The composition root: the only file that names every part. It wires and stops; it decides nothing.

mod again;
mod backups;
mod check;
mod folder;
mod heap;
mod log;
mod mend;
mod mqtt;
mod open;
mod owning;
mod restore;
mod secure;
mod serve;
mod tell;
mod test_mode;
mod upgrade;
pub mod watchdog;

use crate::base::budget::Budget;
use crate::base::world::OsWorld;
use crate::cli::{Backend, Failure, machine};
use crate::config::{Config, Loaded};
use crate::doors::control::answer::{ReadRecord, Surroundings, answer};
use crate::doors::control::stream;
use crate::doors::control::wire::{Reply, Request, StatusReport};
use crate::node::NodeHandle;
use crate::store::backup::{Mode, Outcome};
use again::Again;
use folder::DataFolder;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// In test mode, `none` makes a node that does not know the time.
const TEST_CLOCK: &str = "LINNET_TEST_CLOCK";

/// The whole program behind the command line.
pub struct Program {
    world: Arc<OsWorld>,
}

impl Program {
    /// A program that starts counting its time now.
    #[allow(clippy::new_without_default)] // The moment it is made matters: it is the start that is measured.
    pub fn new() -> Self {
        Self { world: Arc::new(OsWorld::new()) }
    }
}

impl Backend for Program {
    fn begin_to_serve(&self) {
        heap::be_one();
    }

    fn serve(&self, settings: Loaded, test_mode: bool) -> Result<(), Failure> {
        log::start(settings.config.log);
        let folder = DataFolder::take(&settings.config.data, test_mode)?;
        // A test machine has a clock; what happens without one is to be seen all the same.
        let clockless = test_mode && std::env::var_os(TEST_CLOCK).is_some_and(|clock| clock == "none");
        let world = if clockless { Arc::new(OsWorld::without_clock()) } else { self.world.clone() };
        serve::serve(world, &folder, &settings.config, test_mode)
    }

    fn offline(&self, config: &Config, request: Request) -> Reply {
        let data = &config.data;
        match request {
            Request::Check { repair: true, backup, .. } => self.in_folder(data, |folder| {
                let from = mend::From::of(backup, config.backup.folder.clone());
                check::repair(self, &folder, &from)
            }),
            Request::Check { accept, .. } => self.in_folder(data, |folder| check::check(&folder, accept)),
            Request::RebuildIndex => self.in_folder(data, |folder| check::rebuild_index(self, &folder)),
            request => {
                self.with_store(data, |node, around, runtime| runtime.block_on(answer(node, around, request)))
            }
        }
    }

    fn fetch_offline(
        &self,
        data: &Path,
        request: &Request,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Reply {
        self.with_store(data, |node, around, _| {
            let mut pieces = match stream::begin(node, around, request) {
                Ok(pieces) => pieces,
                Err(refusal) => return stream::last_reply(Err(refusal)),
            };
            loop {
                match pieces.next_piece() {
                    Ok(Some(piece)) => {
                        if let Err(error) = take(&piece) {
                            return Reply::refused(format!("cannot write: {error}"), "is there room?");
                        }
                    }
                    Ok(None) => return stream::last_reply(Ok(pieces.carried())),
                    Err(refusal) => return stream::last_reply(Err(refusal)),
                }
            }
        })
    }

    fn converse_offline(
        &self,
        data: &Path,
        next: &mut dyn FnMut(Option<Reply>) -> Option<Request>,
    ) -> Result<(), Failure> {
        let ended = self.with_store(data, |node, around, runtime| {
            let mut reply = None;
            while let Some(request) = next(reply.take()) {
                reply = Some(runtime.block_on(answer(node, around, request)));
            }
            Reply::ok(&())
        });
        match ended {
            Reply::Refused { message, hint } => Err(Failure { message, hint }),
            Reply::Ok { .. } | Reply::Item { .. } => Ok(()),
        }
    }

    fn restore(&self, data: &Path, input: &mut dyn Read, mode: Mode) -> Result<Outcome, Failure> {
        restore::restore(&*self.world, data, input, mode)
    }
}

impl Program {
    /// Answers from this folder, for which no node may run.
    fn in_folder(&self, data: &Path, ask: impl FnOnce(DataFolder) -> Result<Reply, Failure>) -> Reply {
        if !data.exists() {
            let hint = "start the node once with 'linnet', or name its folder with --data";
            return Reply::refused(format!("there is no data folder {}", data.display()), hint);
        }
        // A test's folder stays a test's: the mark decides, not the command.
        let taken = DataFolder::take(data, data.join("test-mode").exists());
        match taken.and_then(ask) {
            Ok(reply) => reply,
            Err(Failure { message, hint }) => Reply::Refused { message, hint },
        }
    }

    /// Answers from the store of this folder.
    fn with_store(
        &self,
        data: &Path,
        ask: impl FnOnce(&NodeHandle, &Surroundings, &tokio::runtime::Runtime) -> Reply,
    ) -> Reply {
        self.in_folder(data, |folder| self.ask_store(&folder, ask))
    }

    fn ask_store(
        &self,
        folder: &DataFolder,
        ask: impl FnOnce(&NodeHandle, &Surroundings, &tokio::runtime::Runtime) -> Reply,
    ) -> Result<Reply, Failure> {
        let test_mode = folder.path.join("test-mode").exists();
        let again = Again::note_only(&folder.path, self.world.clone());
        let (parts, index_given) =
            open::open(self.world.clone(), folder, &again.alarm(), &mend::From::Nowhere, Budget::default())?;
        let (node, running) = crate::node::run::run(parts, || ()).map_err(open::no_thread)?;
        let status = StatusReport {
            version: env!("CARGO_PKG_VERSION").into(),
            data: folder.path.display().to_string(),
            memory_bytes: machine::memory_bytes(),
            ..StatusReport::default()
        };
        let export = Some(crate::doors::papers::export::begin as crate::node::backup::Exporter);
        let read_record = Some(crate::doors::papers::arriving::read as ReadRecord);
        let around =
            Surroundings { status, test_mode, export, read_record, index_given, ..Surroundings::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(open::no_thread)?;
        let reply = ask(&node, &around, &runtime);
        drop(node);
        running.stop().map_err(|error| open::failed(&error))?;
        Ok(reply)
    }
}
