//! Starting anew when the index breaks. A panic inside the database cannot be caught where panics abort, and leaves
//! locks behind where they unwind: the word that the index is not to be trusted is left in the data folder, and the
//! program takes the place of itself. The new start builds the index from the journal.

use crate::base::limits::{RESTART_CALM_MS, RESTARTS_MAX};
use crate::base::world::World;
use crate::store::rescue::guarded::{self, Alarm};
use crate::store::rescue::marks;
use std::io;
use std::os::unix::process::CommandExt;
use std::panic::{self, PanicHookInfo};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// How often in a row the program has started itself anew.
const RESTARTS: &str = "LINNET_RESTARTS";
/// What the names of the database's own source files have in common.
const DATABASE: &str = "/sled-";

/// Asks the doors to close.
type Close = Box<dyn Fn() + Send>;

/// What is to be done when the index of this data folder breaks.
pub struct Again {
    data: PathBuf,
    world: Arc<dyn World>,
    /// New starts in a row that there may be.
    restarts_max: u32,
    /// Whether the index broke.
    broken: AtomicBool,
    /// How a node that serves is asked to stop; before and after that the program is replaced on the spot.
    close: Mutex<Option<Close>>,
    /// A stop was asked for: whatever breaks now is put right by the next start.
    stopping: AtomicBool,
}

impl Again {
    /// Watches over a serving node's index: panics inside the database start the program anew.
    pub fn watch(data: &Path, world: Arc<dyn World>) -> Arc<Again> {
        Again::new(data, world, RESTARTS_MAX)
    }

    /// Watches over the index while a command uses it. It is over in a moment and may have read its input already:
    /// only the word is left for whoever opens the index next.
    pub fn note_only(data: &Path, world: Arc<dyn World>) -> Arc<Again> {
        Again::new(data, world, 0)
    }

    fn new(data: &Path, world: Arc<dyn World>, restarts_max: u32) -> Arc<Again> {
        let again = Arc::new(Again {
            data: data.to_owned(),
            world,
            restarts_max,
            broken: AtomicBool::new(false),
            close: Mutex::new(None),
            stopping: AtomicBool::new(false),
        });
        let (hook, watching) = (panic::take_hook(), again.clone());
        panic::set_hook(Box::new(move |panicked| {
            hook(panicked);
            if is_databases(panicked) {
                watching.suspect(&format!("the database panicked: {panicked}"));
                watching.start_anew();
            }
        }));
        again
    }

    /// For errors of the index: word is left, and a node that serves closes its doors first.
    pub fn alarm(self: &Arc<Self>) -> Alarm {
        let again = self.clone();
        Arc::new(move |why| {
            again.suspect(why);
            if again.restarts() >= again.restarts_max || again.broken.swap(true, Ordering::SeqCst) {
                return;
            }
            match &*again.close.lock().expect("no holder of this lock panics") {
                Some(close) => close(),
                None => again.start_anew(),
            }
        })
    }

    /// From now on the node serves, and this closes its doors.
    pub fn serving(&self, close: impl Fn() + Send + 'static) {
        *self.close.lock().expect("no holder of this lock panics") = Some(Box::new(close));
    }

    /// The doors are closed. Whether the index broke decides if the program goes on in a new start.
    pub fn closed(&self) {
        self.stopping.store(!self.broken.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// Starts anew if the index broke while the node served.
    pub fn start_anew_if_broken(&self) {
        if self.broken.load(Ordering::SeqCst) {
            self.start_anew();
        }
    }

    /// Starts anew a node that nobody asked to stop: only a start goes on.
    pub fn start_anew_unasked(&self) {
        self.stopping.store(false, Ordering::SeqCst);
        self.start_anew();
    }

    fn suspect(&self, why: &str) {
        tracing::error!(%why, "the index broke: the next start builds it anew from the journal");
        if let Err(error) = marks::suspect(&self.data, why) {
            tracing::error!(%error, "the next start cannot be told that the index broke");
        }
    }

    /// How many new starts there were in a row.
    fn restarts(&self) -> u32 {
        let counted = std::env::var(RESTARTS).ok().and_then(|count| count.parse().ok()).unwrap_or(0);
        if self.world.mono_ms() >= RESTART_CALM_MS { 0 } else { counted }
    }

    /// Returns only if it cannot, or must not.
    fn start_anew(&self) {
        let restarts = self.restarts();
        if restarts >= self.restarts_max || self.stopping.load(Ordering::SeqCst) {
            return;
        }
        tracing::warn!("linnet starts anew");
        let error = replace([(RESTARTS, &*(restarts + 1).to_string())]);
        tracing::error!(%error, "linnet cannot start itself anew: start it again");
    }
}

/// For a check, which must not be ended by what it finds without a word: where a panic would end the program, it ends
/// with these.
pub fn end_with_words() {
    if cfg!(panic = "unwind") {
        return;
    }
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        hook(panicked);
        if is_databases(panicked) {
            eprintln!("linnet: the index breaks when it is read\n  run 'linnet rebuild-index'");
            std::process::exit(1);
        }
    }));
}

/// Whether it was the database that panicked, or somebody while they were in it.
fn is_databases(panicked: &PanicHookInfo<'_>) -> bool {
    guarded::is_inside() || panicked.location().is_some_and(|location| location.file().contains(DATABASE))
}

/// The program in place of itself: same process, same words, these variables, nothing else left.
pub fn replace<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> io::Error {
    let mut words = std::env::args_os();
    // By its own name, which the machine shows in its lists; where that was replaced meanwhile, as it runs.
    let own = std::env::current_exe().ok().filter(|own| own.exists());
    let mut command = Command::new(own.unwrap_or_else(|| "/proc/self/exe".into()));
    if let Some(name) = words.next() {
        command.arg0(name);
    }
    command.args(words).envs(variables).exec()
}
