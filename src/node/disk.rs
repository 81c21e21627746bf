//! The room on the disk. Below a floor nothing that grows is taken, so that there is always room to delete, to trim and
//! to write down the index; a ballast file, made while there is room, is given up when a start finds the disk full.
//!
//! The operating system is asked once a second or for every MiB written, never for each post.

use crate::base::limits::{
    BALLAST_BYTES_MAX, BALLAST_BYTES_MIN, BALLAST_PART, DISK_FLOOR_BYTES_MAX, DISK_FLOOR_BYTES_MIN,
    DISK_FLOOR_PERCENT, DISK_LOOK_BYTES, DISK_LOOK_MS, DISK_WALL_MS, DISK_WARN_FREE_BYTES, DISK_WARN_PERCENT,
    INDEX_ROOM_BYTES, JOURNAL_SEGMENT_BYTES, JOURNAL_SEGMENT_PART,
};
use crate::base::world::World;
use crate::chat::change::What;
use crate::node::health::{Health, Trouble, TroubleKind};
use crate::store::disk::{Disk, Space};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// The name of the ballast in the data folder.
const BALLAST: &str = "ballast";
const FULL: &str = "The disk is full: new messages are refused, everything else goes on. Free some space on the disk of \
                    the data folder, or remove rooms and messages.";
const FILLING: &str = "Most of the disk is used. Remove what nobody needs, or let rooms keep their messages for a shorter \
                       time, before new messages have to be refused.";

/// What was found at the last look.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    space: Option<Space>,
    looked_ms: u64,
    /// When the disk last refused a write.
    wall_ms: Option<u64>,
    has_ballast: bool,
}

/// Watches over the room on the disk of one node.
pub struct DiskCare {
    disk: Arc<dyn Disk>,
    world: Arc<dyn World>,
    health: Arc<Health>,
    seen: Mutex<Seen>,
    /// Bytes to keep free as the settings say; 0 to decide by the disk.
    floor: AtomicU64,
    /// Bytes written since the last look.
    written: AtomicU64,
    /// Nothing that grows is taken.
    low: AtomicBool,
    /// Nothing is taken at all: what waits for the index fills the memory.
    shut: AtomicBool,
}

impl DiskCare {
    /// Looks at the disk for the first time.
    pub fn new(disk: Arc<dyn Disk>, world: Arc<dyn World>, health: Arc<Health>) -> Self {
        let has_ballast = disk.open(BALLAST).is_ok();
        let care = Self {
            disk,
            world,
            health,
            seen: Mutex::new(Seen { has_ballast, ..Seen::default() }),
            floor: AtomicU64::new(0),
            written: AtomicU64::new(0),
            low: AtomicBool::new(false),
            shut: AtomicBool::new(false),
        };
        care.look();
        care
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("no holder of this lock panics")
    }

    /// Keeps this many bytes free; `None` decides by the disk.
    pub fn keep_free(&self, bytes: Option<u64>) {
        self.floor.store(bytes.unwrap_or(0), Ordering::Relaxed);
        self.look();
    }

    /// Bytes below which nothing that grows is taken; 0 while nobody knows the disk.
    pub fn floor(&self) -> u64 {
        match (self.floor.load(Ordering::Relaxed), self.space()) {
            (0, None) => 0,
            (0, Some(space)) => {
                let part = space.total / 100 * DISK_FLOOR_PERCENT;
                part.clamp(DISK_FLOOR_BYTES_MIN, DISK_FLOOR_BYTES_MAX)
            }
            (set, _) => set,
        }
    }

    /// What the last look found; `None` where nobody knows.
    pub fn space(&self) -> Option<Space> {
        self.seen().space
    }

    /// Whether nothing that grows is taken now.
    pub fn is_low(&self) -> bool {
        self.low.load(Ordering::Relaxed)
    }

    /// Whether nothing at all is taken now.
    pub fn is_shut(&self) -> bool {
        self.shut.load(Ordering::Relaxed)
    }

    /// Whether this Change may be stored now. While the disk is low this looks again, at most once a second.
    pub fn takes(&self, what: &What) -> bool {
        if self.is_low() {
            self.look_in_time();
        }
        !self.is_shut() && (!self.is_low() || !grows(what))
    }

    /// So many bytes were written.
    pub fn wrote(&self, bytes: u64) {
        let written = self.written.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if written >= DISK_LOOK_BYTES { self.look() } else { self.look_in_time() }
    }

    fn look_in_time(&self) {
        let (now, looked) = (self.world.mono_ms(), self.seen().looked_ms);
        if now >= looked + DISK_LOOK_MS {
            self.look();
        }
    }

    /// The disk refused a write, whatever it says of its room.
    pub fn hit_wall(&self) {
        self.seen().wall_ms = Some(self.world.mono_ms());
        self.look();
    }

    /// Looks how much is free and decides anew.
    pub fn look(&self) {
        let now = self.world.mono_ms();
        self.written.store(0, Ordering::Relaxed);
        let space = self.disk.space().unwrap_or_else(|error| {
            tracing::warn!(%error, "the room on the disk cannot be found out");
            None
        });
        let walled = {
            let mut seen = self.seen();
            (seen.space, seen.looked_ms) = (space, now);
            seen.wall_ms.is_some_and(|wall| now < wall + DISK_WALL_MS)
        };
        let floor = self.floor();
        // It must be clearly above the floor again, so that it is not refused and taken by turns.
        let wanted = if self.is_low() { floor + floor / 4 } else { floor };
        let low = walled || space.is_some_and(|space| space.free < wanted);
        self.low.store(low, Ordering::Relaxed);
        self.tell(TroubleKind::DiskFull, low, FULL);
        self.tell(TroubleKind::DiskFilling, space.is_some_and(|space| self.is_filling(space)), FILLING);
    }

    fn tell(&self, kind: TroubleKind, stands: bool, text: &str) {
        match stands {
            true => self.health.note(Trouble { kind, text: text.into() }),
            false => self.health.clear(kind),
        }
    }

    fn is_filling(&self, space: Space) -> bool {
        let stands = self.health.current().iter().any(|trouble| trouble.kind == TroubleKind::DiskFilling);
        let percent = if stands { DISK_WARN_PERCENT - 2 } else { DISK_WARN_PERCENT };
        let ours = u128::from(space.used) + u128::from(space.free);
        u128::from(space.used) * 100 >= ours * u128::from(percent) && space.free < DISK_WARN_FREE_BYTES
    }

    /// Whether the index may write down so many bytes: the database does not go on after it found no room.
    pub fn has_room_for_index(&self, bytes: usize) -> bool {
        self.look();
        let needed = INDEX_ROOM_BYTES + 3 * bytes as u64;
        self.space().is_none_or(|space| space.free >= needed)
    }

    /// Whether so much waits for the index that nothing at all is taken.
    pub fn shut(&self, shut: bool) {
        self.shut.store(shut, Ordering::Relaxed);
    }

    /// Makes the ballast, where there is none and room for it.
    pub fn tend(&self) {
        let Seen { space: Some(space), has_ballast: false, .. } = *self.seen() else { return };
        let bytes = (space.total / BALLAST_PART).clamp(BALLAST_BYTES_MIN, BALLAST_BYTES_MAX);
        if space.free < self.floor() * 2 + bytes {
            return;
        }
        match self.disk.reserve(BALLAST, bytes) {
            Ok(()) => tracing::debug!(bytes, "the ballast is there"),
            // Without it a start on a full disk may fail; nothing else depends on it.
            Err(error) => tracing::warn!(%error, "the ballast cannot be made"),
        }
        self.seen().has_ballast = true;
    }
}

/// Gives up the ballast if there is too little room to open the index. Says whether it did.
pub fn make_room_to_open(disk: &dyn Disk) -> io::Result<bool> {
    let full = disk.space()?.is_some_and(|space| space.free < 2 * INDEX_ROOM_BYTES);
    if !full || disk.open(BALLAST).is_err() {
        return Ok(false);
    }
    disk.remove(BALLAST)?;
    disk.sync_folder("")?;
    Ok(true)
}

/// Bytes of the journal's segments on this disk: each is reserved as a whole, which must not fill a small one.
pub fn segment_bytes(disk: &dyn Disk) -> u64 {
    let part = disk.space().ok().flatten().map(|space| space.total / JOURNAL_SEGMENT_PART);
    part.map_or(JOURNAL_SEGMENT_BYTES, |part| part.min(JOURNAL_SEGMENT_BYTES))
}

/// Whether a Change makes what is stored grow for long: the rest takes away, lets people in to do that, or is rare.
fn grows(what: &What) -> bool {
    if let What::Published { publication, .. } = what {
        return !publication.retain || !publication.payload.is_empty();
    }
    matches!(
        what,
        What::UserAdded(_)
            | What::UserChanged(_)
            | What::DeviceSet(_)
            | What::InvitationSet(_)
            | What::RoomMade(_)
            | What::RoomChanged { .. }
            | What::Joined(_)
            | What::MembershipChanged(_)
            | What::Posted { .. }
            | What::Revised { .. }
            | What::Read { .. }
            | What::SubscriptionSet { .. }
    )
}
