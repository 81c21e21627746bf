//! The composition root: the only file that names every part. It wires and stops; it decides nothing.

mod folder;
mod log;
mod open;
mod serve;
mod tell;
mod test_mode;

use crate::base::world::OsWorld;
use crate::cli::{Backend, Failure, machine};
use crate::config::Loaded;
use crate::doors::control::answer::{Surroundings, answer};
use crate::doors::control::wire::{Reply, Request, StatusReport};
use folder::DataFolder;
use std::path::Path;
use std::sync::Arc;

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
    fn serve(&self, settings: Loaded, test_mode: bool) -> Result<(), Failure> {
        log::start(settings.config.log);
        let folder = DataFolder::take(&settings.config.data, test_mode)?;
        serve::serve(self.world.clone(), &folder, &settings.config, test_mode)
    }

    fn offline(&self, data: &Path, request: Request) -> Reply {
        if !data.exists() {
            let hint = "start the node once with 'linnet', or name its folder with --data";
            return Reply::refused(format!("there is no data folder {}", data.display()), hint);
        }
        // A test's folder stays a test's: the mark decides, not the command.
        let test_mode = data.join("test-mode").exists();
        match self.ask_store(data, test_mode, request) {
            Ok(reply) => reply,
            Err(Failure { message, hint }) => Reply::Refused { message, hint },
        }
    }
}

impl Program {
    fn ask_store(&self, data: &Path, test_mode: bool, request: Request) -> Result<Reply, Failure> {
        let folder = DataFolder::take(data, test_mode)?;
        let parts = open::open(self.world.clone(), &folder)?;
        let (node, running) = crate::node::run::run(parts, || ()).map_err(open::no_thread)?;
        let status = StatusReport {
            version: env!("CARGO_PKG_VERSION").into(),
            data: folder.path.display().to_string(),
            memory_bytes: machine::memory_bytes(),
            ..StatusReport::default()
        };
        let around = Surroundings { url: None, status };
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(open::no_thread)?;
        let reply = runtime.block_on(answer(&node, &around, request));
        drop(node);
        running.stop().map_err(|error| open::failed(&error))?;
        Ok(reply)
    }
}
