//! The only source of time and chance. A simulated life repeats itself because everything asks here.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Time and chance.
pub trait World: Send + Sync {
    /// Milliseconds since 1970 by the wall clock, which may be wrong and may jump.
    fn wall_ms(&self) -> u64;
    /// Milliseconds since this node started; never runs backwards.
    fn mono_ms(&self) -> u64;
    /// Whether the wall clock was set by a time server or kept by a battery.
    fn wall_trusted(&self) -> bool;
    /// Fills the bytes with chance fit for secrets.
    fn fill(&self, bytes: &mut [u8]);
}

/// The machine's own clocks and random source.
pub struct OsWorld {
    started: Instant,
    /// Whether the wall clock was found trusted; it stays so.
    trusted: AtomicBool,
    /// When it was last looked at, in milliseconds since the start.
    looked_ms: AtomicU64,
}

/// Milliseconds between two looks at whether the clock has become trusted: every message asks.
const TRUST_LOOK_MS: u64 = 1_000;

impl OsWorld {
    /// A world that starts counting now.
    #[allow(clippy::new_without_default, clippy::disallowed_methods)] // Asking the clock is what this file is for.
    pub fn new() -> Self {
        let world =
            Self { started: Instant::now(), trusted: AtomicBool::new(false), looked_ms: AtomicU64::new(0) };
        world.look_for_trust();
        world
    }

    fn look_for_trust(&self) -> bool {
        let exists = |path| std::path::Path::new(path).exists();
        // A board with a device tree has no battery as a rule: there only a clock chip, or a time server's mark, makes
        // the clock believable. Everything else is a machine that keeps its time.
        let keeps_time = exists("/sys/class/rtc/rtc0") || !exists("/proc/device-tree/model");
        let trusted = keeps_time || exists("/run/systemd/timesync/synchronized");
        self.trusted.store(trusted, Ordering::Relaxed);
        trusted
    }
}

impl World for OsWorld {
    #[allow(clippy::disallowed_methods)] // The one place that asks the wall clock.
    fn wall_ms(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
    }

    fn mono_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    fn wall_trusted(&self) -> bool {
        if self.trusted.load(Ordering::Relaxed) {
            return true;
        }
        let now = self.mono_ms();
        if now < self.looked_ms.load(Ordering::Relaxed) + TRUST_LOOK_MS {
            return false;
        }
        self.looked_ms.store(now, Ordering::Relaxed);
        self.look_for_trust()
    }

    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("a machine without random bytes cannot keep secrets");
    }
}

/// A world that repeats itself: the same seed gives the same chances, and time moves only when told.
pub struct SimWorld {
    wall_ms: AtomicU64,
    mono_ms: AtomicU64,
    chance: Mutex<u64>,
}

impl SimWorld {
    /// A world starting on 2026-01-01 with this seed.
    pub fn new(seed: u64) -> Self {
        let chance = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03;
        Self {
            wall_ms: AtomicU64::new(1_767_225_600_000),
            mono_ms: AtomicU64::new(0),
            chance: Mutex::new(chance),
        }
    }

    /// Lets time pass.
    pub fn pass_ms(&self, ms: u64) {
        self.wall_ms.fetch_add(ms, Ordering::Relaxed);
        self.mono_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// Sets the wall clock alone, as a time server or a dead battery does.
    pub fn set_wall_ms(&self, ms: u64) {
        self.wall_ms.store(ms, Ordering::Relaxed);
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

    fn wall_trusted(&self) -> bool {
        true
    }

    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.next().to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
    }
}
