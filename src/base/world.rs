//! The only source of time and chance. A simulated life repeats itself because everything asks here.

use crate::base::time::WallMs;
use rustix::time::{ClockId, clock_gettime};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Who speaks for a machine's wall clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keeper {
    /// Nobody: it began in 1970, or where some file says that it last was.
    Nobody,
    /// A clock chip, or a machine that keeps its time; its battery may have died, its date may have been mistyped.
    Battery,
    /// A time server, which last set it at this time of the clock.
    Server {
        /// What the clock showed after it was set.
        set_ms: WallMs,
    },
}

/// Time and chance.
pub trait World: Send + Sync {
    /// Milliseconds since 1970 by the wall clock, which may be wrong and may jump.
    fn wall_ms(&self) -> u64;
    /// Milliseconds since this node started, asleep or awake; never runs backwards.
    fn mono_ms(&self) -> u64;
    /// Who speaks for the wall clock. Looks at files: not for every message.
    fn keeper(&self) -> Keeper;
    /// Fills the bytes with chance fit for secrets.
    fn fill(&self, bytes: &mut [u8]);
}

/// The machine's own clocks and random source.
pub struct OsWorld {
    /// What the machine's monotonic clock showed when this world began.
    began_ms: u64,
    /// For tests: how far the wall clock is behind the machine's, as on a board that nobody told the time.
    lost_ms: Option<u64>,
}

/// Written by systemd-timesyncd whenever it has set the clock; gone at the machine's next start.
const TIMESYNC_MARK: &str = "/run/systemd/timesync/synchronized";
/// Written by chrony and ntpd about once an hour while they keep the clock; stay when the machine starts again.
const DRIFT_FILES: [&str; 4] = [
    "/var/lib/chrony/chrony.drift",
    "/var/lib/chrony/drift",
    "/var/lib/ntp/ntp.drift",
    "/var/lib/ntpsec/ntp.drift",
];
/// Milliseconds by which a file may seem to come from the future: the clock was stepped back a little since.
const FILE_AHEAD_MS: u64 = 60_000;

/// Milliseconds since the machine started. Unlike `Instant` it goes on while the machine sleeps.
fn awake_or_asleep_ms() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    now.tv_sec as u64 * 1_000 + now.tv_nsec as u64 / 1_000_000
}

fn written_ms(path: &str) -> Option<WallMs> {
    let written = Path::new(path).metadata().ok()?.modified().ok()?;
    Some(written.duration_since(UNIX_EPOCH).ok()?.as_millis() as u64)
}

impl OsWorld {
    /// A world that starts counting now.
    #[allow(clippy::new_without_default)] // A default world would hide that it starts to count.
    pub fn new() -> Self {
        Self { began_ms: awake_or_asleep_ms(), lost_ms: None }
    }

    /// A world on a machine without a clock, which starts in 1970: for tests on machines that have one.
    pub fn without_clock() -> Self {
        let world = Self::new();
        let lost_ms = Some(world.wall_ms());
        Self { lost_ms, ..world }
    }

    /// When a time server last set the clock, as far as it leaves a mark.
    fn server_set_ms(&self) -> Option<WallMs> {
        let now = self.wall_ms();
        // A drift file from before this start says nothing about the clock of today.
        let this_start = now.saturating_sub(awake_or_asleep_ms())..=now + FILE_AHEAD_MS;
        let drifts =
            DRIFT_FILES.iter().filter_map(|path| written_ms(path)).filter(|ms| this_start.contains(ms));
        written_ms(TIMESYNC_MARK).into_iter().chain(drifts).max()
    }
}

impl World for OsWorld {
    #[allow(clippy::disallowed_methods)] // The one place that asks the wall clock.
    fn wall_ms(&self) -> u64 {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        wall.saturating_sub(self.lost_ms.unwrap_or(0))
    }

    fn mono_ms(&self) -> u64 {
        awake_or_asleep_ms().saturating_sub(self.began_ms)
    }

    fn keeper(&self) -> Keeper {
        let exists = |path| Path::new(path).exists();
        // A board with a device tree has no battery as a rule: there only a clock chip, or a time server's mark, makes
        // the clock believable. Everything else is a machine that keeps its time.
        match self.server_set_ms() {
            _ if self.lost_ms.is_some() => Keeper::Nobody,
            Some(set_ms) => Keeper::Server { set_ms },
            None if exists("/sys/class/rtc/rtc0") || !exists("/proc/device-tree/model") => Keeper::Battery,
            None => Keeper::Nobody,
        }
    }

    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("a machine without random bytes cannot keep secrets");
    }
}

/// A world that repeats itself: the same seed gives the same chances, and time moves only when told.
pub struct SimWorld {
    wall_ms: AtomicU64,
    mono_ms: AtomicU64,
    keeper: Mutex<Keeper>,
    chance: Mutex<u64>,
}

impl SimWorld {
    /// A world starting on 2026-01-01 with this seed.
    pub fn new(seed: u64) -> Self {
        let chance = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03;
        Self {
            wall_ms: AtomicU64::new(1_767_225_600_000),
            mono_ms: AtomicU64::new(0),
            keeper: Mutex::new(Keeper::Battery),
            chance: Mutex::new(chance),
        }
    }

    /// Lets time pass.
    pub fn pass_ms(&self, ms: u64) {
        self.wall_ms.fetch_add(ms, Ordering::Relaxed);
        self.mono_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// Starts the machine anew: the monotonic clock begins at 0.
    pub fn restart(&self) {
        self.mono_ms.store(0, Ordering::Relaxed);
    }

    /// Sets the wall clock alone, as a hand or a dead battery does.
    pub fn set_wall_ms(&self, ms: u64) {
        self.wall_ms.store(ms, Ordering::Relaxed);
    }

    /// Sets the wall clock as a time server does, which leaves a mark.
    pub fn serve_time(&self, ms: u64) {
        self.set_wall_ms(ms);
        self.set_keeper(Keeper::Server { set_ms: ms });
    }

    /// Says who speaks for the wall clock from now on.
    pub fn set_keeper(&self, keeper: Keeper) {
        *self.keeper.lock().expect("no holder of this lock panics") = keeper;
    }

    /// The next number of this world's chance (splitmix64).
    pub fn next(&self) -> u64 {
        let mut state = self.chance.lock().expect("no holder of this lock panics");
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl World for SimWorld {
    fn wall_ms(&self) -> u64 {
        self.wall_ms.load(Ordering::Relaxed)
    }

    fn mono_ms(&self) -> u64 {
        self.mono_ms.load(Ordering::Relaxed)
    }

    fn keeper(&self) -> Keeper {
        *self.keeper.lock().expect("no holder of this lock panics")
    }

    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.next().to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
    }
}
