//! How much of a machine linnet may use: memory, caches, sessions, threads. The board's file says it, the machine's real
//! memory and cores bound it, a setting overrides it. Whoever allocates is given a [`Budget`] at the start.

use crate::base::limits::{
    BUDGET_CACHE_BYTES_MAX, BUDGET_CACHE_BYTES_MIN, BUDGET_CONNECTIONS_MIN, BUDGET_MACHINE_PART,
    BUDGET_MEMORY_MIB_MIN, BUDGET_SESSIONS_MIN, FRAMES_BYTES_MAX, FRAMES_MAX, HASHERS_MAX,
    HTTP_CONNECTIONS_MAX, HTTP_CONNECTIONS_PER_ADDRESS_MAX, INDEX_CACHE_BYTES_MIN, LAYER_BYTES_MAX,
    LAYER_WRITES_MAX, LISTENERS_MAX, TAIL_BYTES_MAX, TAIL_CHANGES_MAX,
};

const MIB: u64 = 1024 * 1024;

/// What a board's file allows; `None` is the most there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// MiB of memory in all.
    pub memory_mib: u32,
    /// KiB of it for caches.
    pub cache_kib: Option<u32>,
    /// Realtime sessions, and listeners of any kind.
    pub sessions: Option<u32>,
    /// HTTP connections.
    pub connections: Option<u32>,
    /// Passwords hashed at one time.
    pub hashers: Option<u32>,
}

/// What the settings say instead of the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wish {
    /// Bytes of memory in all; everything else follows it.
    pub memory: Option<u64>,
    /// Bytes of caches.
    pub cache: Option<u64>,
    /// Realtime sessions.
    pub sessions: Option<usize>,
}

/// What the machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Machine {
    /// Bytes of memory, where it is known.
    pub memory: Option<u64>,
    /// Cores; 0 where they are not known.
    pub cores: usize,
}

/// What linnet may use. The default is the most there is, which a laptop gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of memory in all. Nothing counts them; the figures below are made to fit.
    pub memory: u64,
    /// Bytes of the index's page cache.
    pub index_cache: usize,
    /// Bytes of the newest Changes in memory.
    pub tail_bytes: usize,
    /// How many they are.
    pub tail_changes: usize,
    /// Bytes of Changes that are kept encoded.
    pub frames_bytes: usize,
    /// How many they are.
    pub frames: usize,
    /// Bytes of settled Changes that wait for a checkpoint.
    pub layer_bytes: usize,
    /// How many writes they are.
    pub layer_writes: usize,
    /// Realtime sessions, and listeners of any kind.
    pub sessions: usize,
    /// HTTP connections.
    pub connections: usize,
    /// Those of one address.
    pub connections_per_address: usize,
    /// Passwords hashed at one time.
    pub hashers: usize,
}

impl Default for Budget {
    fn default() -> Self {
        let all =
            Share { memory_mib: 128, cache_kib: None, sessions: None, connections: None, hashers: None };
        Budget::of(&all, Machine::default(), Wish::default())
    }
}

impl Budget {
    /// The board's share of this machine, as far as the settings do not say otherwise.
    pub fn of(share: &Share, machine: Machine, wish: Wish) -> Budget {
        let described = u64::from(share.memory_mib) * MIB;
        let given = machine.memory.map_or(described, |memory| described.min(memory / BUDGET_MACHINE_PART));
        let memory = wish.memory.unwrap_or(given).max(u64::from(BUDGET_MEMORY_MIB_MIN) * MIB);
        // A share of the memory brings the same share of everything that lies in it.
        let scaled =
            |figure: u64| (u128::from(figure) * u128::from(memory) / u128::from(described.max(1))) as u64;
        let count = |said: Option<u32>, min: usize, max: usize| {
            (scaled(said.map_or(max as u64, u64::from)) as usize).clamp(min, max)
        };
        let full = (INDEX_CACHE_BYTES_MIN + TAIL_BYTES_MAX + FRAMES_BYTES_MAX + LAYER_BYTES_MAX) as u64;
        let cache = scaled(share.cache_kib.map_or(full, |kib| u64::from(kib) * 1024));
        // Half of the memory is for what is no cache, whatever the settings say.
        let most = (memory / 2).min(BUDGET_CACHE_BYTES_MAX as u64);
        let cache = wish.cache.unwrap_or(cache).clamp(BUDGET_CACHE_BYTES_MIN as u64, most) as usize;
        let connections = count(share.connections, BUDGET_CONNECTIONS_MIN, HTTP_CONNECTIONS_MAX);
        let sessions = count(share.sessions, BUDGET_SESSIONS_MIN, LISTENERS_MAX);
        let hashers = share.hashers.map_or(HASHERS_MAX, |hashers| (hashers as usize).min(HASHERS_MAX));
        Budget {
            memory,
            sessions: wish.sessions.map_or(sessions, |said| said.clamp(BUDGET_SESSIONS_MIN, LISTENERS_MAX)),
            connections,
            connections_per_address: HTTP_CONNECTIONS_PER_ADDRESS_MAX.min(connections / 2),
            // The other half of the cores is for those who are logged in.
            hashers: hashers.min(machine.cores / 2).max(1),
            ..Budget::split(cache)
        }
    }

    /// Bytes of all caches.
    pub fn cache(&self) -> usize {
        self.index_cache + self.tail_bytes + self.frames_bytes + self.layer_bytes
    }

    /// Bytes at which the system should press for memory, as systemd's `MemoryHigh` does.
    pub fn memory_high(&self) -> u64 {
        self.memory + self.memory / 2
    }

    /// Bytes at which the system should end the program rather than swap, as systemd's `MemoryMax` does.
    pub fn memory_max(&self) -> u64 {
        self.memory * 2
    }

    /// Caches of so many bytes together. The index needs its least to find anything; what the others cannot use is its.
    fn split(cache: usize) -> Budget {
        let rest = (cache - INDEX_CACHE_BYTES_MIN) as u64;
        let all = (TAIL_BYTES_MAX + FRAMES_BYTES_MAX + LAYER_BYTES_MAX) as u64;
        let part = |max: usize| max.min((rest * max as u64 / all) as usize);
        let (tail_bytes, frames_bytes, layer_bytes) =
            (part(TAIL_BYTES_MAX), part(FRAMES_BYTES_MAX), part(LAYER_BYTES_MAX));
        let many = |count: usize, bytes: usize, bytes_max: usize| count * (bytes / 1024) / (bytes_max / 1024);
        Budget {
            memory: 0,
            index_cache: cache - tail_bytes - frames_bytes - layer_bytes,
            tail_bytes,
            tail_changes: many(TAIL_CHANGES_MAX, tail_bytes, TAIL_BYTES_MAX),
            frames_bytes,
            frames: many(FRAMES_MAX, frames_bytes, FRAMES_BYTES_MAX),
            layer_bytes,
            layer_writes: many(LAYER_WRITES_MAX, layer_bytes, LAYER_BYTES_MAX),
            sessions: 0,
            connections: 0,
            connections_per_address: 0,
            hashers: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::board::Board;

    const GIB: u64 = 1024 * MIB;

    fn budget(board: &str, memory: u64, cores: usize, wish: Wish) -> Budget {
        let board = Board::named(board).expect("the board is known");
        Budget::of(&board.share, Machine { memory: Some(memory), cores }, wish)
    }

    #[test]
    fn a_machine_nobody_described_gets_what_every_laptop_had() {
        let laptop = budget("generic", 16 * GIB, 1, Wish::default());
        assert_eq!(laptop, Budget::default());
        assert_eq!((laptop.tail_changes, laptop.tail_bytes), (TAIL_CHANGES_MAX, TAIL_BYTES_MAX));
        assert_eq!((laptop.frames, laptop.frames_bytes), (FRAMES_MAX, FRAMES_BYTES_MAX));
        assert_eq!((laptop.layer_writes, laptop.layer_bytes), (LAYER_WRITES_MAX, LAYER_BYTES_MAX));
        assert_eq!((laptop.sessions, laptop.connections), (LISTENERS_MAX, HTTP_CONNECTIONS_MAX));
        assert_eq!(laptop.connections_per_address, HTTP_CONNECTIONS_PER_ADDRESS_MAX);
        assert_eq!(laptop.index_cache, INDEX_CACHE_BYTES_MIN);
    }

    #[test]
    fn different_boards_get_different_figures() {
        // 512 MB less what the graphics take.
        let zero = budget("pi-zero", 430 * MIB, 1, Wish::default());
        let four = budget("pi-4", 4 * GIB, 4, Wish::default());
        assert_eq!((zero.memory, zero.memory_high(), zero.memory_max()), (64 * MIB, 96 * MIB, 128 * MIB));
        assert_eq!((zero.cache(), zero.sessions, zero.connections), (4 * MIB as usize, 2_000, 256));
        assert_eq!((four.cache(), four.sessions, four.connections), (8 * MIB as usize, 20_000, 512));
        assert_eq!((zero.hashers, four.hashers), (1, 2));
        assert!(zero.tail_bytes < four.tail_bytes && zero.layer_writes < four.layer_writes);
        assert!(zero.index_cache < four.index_cache && zero.frames < four.frames);
    }

    #[test]
    fn a_machine_with_less_memory_than_described_gives_a_share_of_it() {
        let old = budget("pi-1", 180 * MIB, 1, Wish::default());
        assert_eq!(old.memory, 45 * MIB);
        assert_eq!((old.sessions, old.connections), (2_000 * 45 / 64, 256 * 45 / 64));
        assert_eq!(old.cache(), 4 * MIB as usize * 45 / 64);
        let tiny = budget("generic", 32 * MIB, 1, Wish::default());
        assert_eq!((tiny.memory, tiny.cache()), (16 * MIB, BUDGET_CACHE_BYTES_MIN));
    }

    #[test]
    fn a_setting_overrides_the_board_within_bounds() {
        let wish =
            |memory, cache, sessions| budget("pi-zero", 430 * MIB, 1, Wish { memory, cache, sessions });
        assert_eq!(wish(Some(128 * MIB), None, None).sessions, 4_000);
        assert_eq!(wish(None, Some(6 * MIB), None).cache(), 6 * MIB as usize);
        assert_eq!(wish(None, None, Some(50)).sessions, 50);
        assert_eq!(wish(None, Some(GIB), Some(usize::MAX)).cache(), 32 * MIB as usize);
        assert_eq!(wish(None, None, Some(usize::MAX)).sessions, LISTENERS_MAX);
        assert_eq!(wish(Some(1), Some(1), Some(0)).memory, 16 * MIB);
        assert_eq!(wish(Some(u64::MAX), None, None).sessions, LISTENERS_MAX);
    }

    #[test]
    fn the_parts_of_a_cache_are_the_whole_of_it() {
        for kib in (2_048..65_536).step_by(700) {
            let split = Budget::split(kib * 1024);
            assert_eq!(split.cache(), kib * 1024);
            assert!(split.index_cache >= INDEX_CACHE_BYTES_MIN, "{kib}");
            assert!(split.tail_bytes <= TAIL_BYTES_MAX && split.layer_bytes <= LAYER_BYTES_MAX, "{kib}");
            assert!(split.tail_changes > 0 && split.frames > 0 && split.layer_writes > 0, "{kib}");
        }
    }
}
