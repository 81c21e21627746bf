//! What is known to be lost for good, in a small file of the data folder: a repair that brought back only a part leaves
//! no damage in the journal that could tell of the rest. And whether a start should look for damage of which somebody
//! heard while the node ran.
//!
//! One line for each loss, with a checksum of its own. The file is replaced as a whole, so a power cut leaves the old
//! one or the new one.

use crate::base::limits::LOSSES_KNOWN_MAX;
use crate::base::time::WallMs;
use crate::store::disk::Disk;
use std::fmt::Write;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

const NAME: &str = "journal-losses";
const UNFINISHED: &str = "journal-losses.new";

/// Numbers of Changes that are lost for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gone {
    /// The first and the last number among which they are.
    pub first: u64,
    /// See `first`.
    pub last: u64,
    /// How many of these are lost.
    pub count: u64,
    /// When the Change before them happened.
    pub from: Option<WallMs>,
    /// When the Change behind them happened.
    pub until: Option<WallMs>,
    /// Since when that is known.
    pub since: Option<WallMs>,
    /// Whether somebody said that they know.
    pub accepted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Known {
    gone: Vec<Gone>,
    /// Stretches for which all backups at hand were looked through in vain.
    tried: Vec<(u64, u64)>,
    hurt: bool,
}

/// The losses of one journal.
pub struct Register {
    disk: Arc<dyn Disk>,
    known: Mutex<Known>,
}

impl Register {
    /// What is known on this disk. Lines that cannot be read are passed over: no start fails for them.
    pub fn open(disk: Arc<dyn Disk>) -> Register {
        let text = read(&*disk).unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(%error, "what was known to be lost cannot be read");
            }
            String::new()
        });
        Register { disk, known: Mutex::new(Known::parse(&text)) }
    }

    /// All that is known to be lost, in order.
    pub fn list(&self) -> Vec<Gone> {
        self.known().gone.clone()
    }

    /// Whether all that is lost of these numbers is known already.
    pub fn knows(&self, (first, last): (u64, u64)) -> bool {
        last < u64::MAX && self.known().gone.iter().any(|gone| gone.first <= first && last <= gone.last)
    }

    /// Whether somebody said that they know of some of it.
    pub fn has_accepted(&self) -> bool {
        self.known().gone.iter().any(|gone| gone.accepted)
    }

    /// Whether the next start should look for damage.
    pub fn is_hurt(&self) -> bool {
        self.known().hurt
    }

    /// These numbers cannot be read: the next start should see what backups have of them, unless one did so in vain.
    pub fn hurt(&self, (first, last): (u64, u64)) -> io::Result<()> {
        self.change(|known| {
            let is_tried = known.tried.iter().any(|tried| tried.0 <= first && last <= tried.1);
            known.hurt |= first <= last && !is_tried;
        })
    }

    /// Backups were looked through: nothing more than this can come back.
    pub fn tried(&self, stretches: impl IntoIterator<Item = (u64, u64)>) -> io::Result<()> {
        self.change(|known| {
            known.hurt = false;
            known.tried = stretches.into_iter().take(LOSSES_KNOWN_MAX).collect();
        })
    }

    /// Takes what a repair of these stretches will leave lost in the place of what was known about them.
    pub fn replace(&self, repaired: &[(u64, u64)], left: &[Gone]) -> io::Result<()> {
        self.change(|known| {
            let former = known.gone.clone();
            let is_in =
                |gone: &Gone| repaired.iter().any(|(first, last)| *first <= gone.first && gone.last <= *last);
            known.gone.retain(|gone| !is_in(gone));
            for gone in left {
                let same = former.iter().find(|known| (known.first, known.last) == (gone.first, gone.last));
                let (since, accepted) =
                    same.map_or((gone.since, false), |known| (known.since, known.accepted));
                known.gone.push(Gone { since, accepted, ..*gone });
            }
        })
    }

    /// Somebody knows of these losses, and of all that were known before.
    pub fn accept(&self, lost: &[Gone]) -> io::Result<()> {
        self.change(|known| {
            known.gone.extend_from_slice(lost);
            known.gone.iter_mut().for_each(|gone| gone.accepted = true);
        })
    }

    /// What has no date yet is known since now.
    pub fn date(&self, now: WallMs) -> io::Result<()> {
        self.change(|known| known.gone.iter_mut().for_each(|gone| gone.since = gone.since.or(Some(now))))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no holder of this lock panics")
    }

    /// Changes what is known, and returns when that is kept.
    fn change(&self, change: impl FnOnce(&mut Known)) -> io::Result<()> {
        let mut known = self.known();
        let mut next = known.clone();
        change(&mut next);
        next.bound();
        if next != *known {
            write(&*self.disk, &next.text())?;
            *known = next;
        }
        Ok(())
    }
}

impl Known {
    fn parse(text: &str) -> Known {
        let mut known = Known::default();
        for line in text.lines().take(2 * LOSSES_KNOWN_MAX + 1) {
            let Some((words, sum)) = line.rsplit_once(' ') else { continue };
            if sum != checksum(words) {
                tracing::warn!("a line about what is lost cannot be read");
                continue;
            }
            let words: Vec<&str> = words.split(' ').collect();
            let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
            match (words[0], number(1), number(2)) {
                ("hurt", ..) => known.hurt = true,
                ("tried", Some(first), Some(last)) => known.tried.push((first, last)),
                ("gone", Some(first), Some(last)) => known.gone.push(Gone {
                    first,
                    last,
                    count: number(3).unwrap_or(0),
                    from: number(4),
                    until: number(5),
                    since: number(6),
                    accepted: words.get(7) == Some(&"accepted"),
                }),
                _ => {}
            }
        }
        known
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut line =
            |words: &str| writeln!(text, "{words} {}", checksum(words)).expect("a string takes all");
        if self.hurt {
            line("hurt");
        }
        self.tried.iter().for_each(|(first, last)| line(&format!("tried {first} {last}")));
        for gone in &self.gone {
            let [from, until, since] = [gone.from, gone.until, gone.since]
                .map(|time| time.map_or_else(|| "-".to_owned(), |time| time.to_string()));
            let known = if gone.accepted { "accepted" } else { "told" };
            line(&format!("gone {} {} {} {from} {until} {since} {known}", gone.first, gone.last, gone.count));
        }
        text
    }

    /// Neighbours become one where there are too many.
    fn bound(&mut self) {
        self.gone.sort_by_key(|gone| (gone.first, gone.last));
        self.gone.dedup_by_key(|gone| (gone.first, gone.last));
        while self.gone.len() > LOSSES_KNOWN_MAX {
            let distance = |at: &usize| self.gone[at + 1].first.saturating_sub(self.gone[*at].last);
            let at = (0..self.gone.len() - 1).min_by_key(distance).expect("there are many");
            let next = self.gone.remove(at + 1);
            let gone = &mut self.gone[at];
            (gone.last, gone.count) = (gone.last.max(next.last), gone.count.saturating_add(next.count));
            (gone.until, gone.accepted) = (next.until, gone.accepted && next.accepted);
        }
    }
}

fn checksum(words: &str) -> String {
    format!("{:08x}", crc32fast::hash(words.as_bytes()))
}

fn read(disk: &dyn Disk) -> io::Result<String> {
    let file = disk.open(NAME)?;
    // A line has at most nine numbers.
    let mut bytes = vec![0; (file.len()? as usize).min(3 * LOSSES_KNOWN_MAX * 256)];
    let mut held = 0;
    while held < bytes.len() {
        match file.read_at(&mut bytes[held..], held as u64)? {
            0 => break,
            count => held += count,
        }
    }
    Ok(String::from_utf8_lossy(&bytes[..held]).into_owned())
}

fn write(disk: &dyn Disk, text: &str) -> io::Result<()> {
    if disk.list("")?.iter().any(|name| name == UNFINISHED) {
        disk.remove(UNFINISHED)?;
    }
    let file = disk.create(UNFINISHED)?;
    file.write_at(text.as_bytes(), 0)?;
    file.sync_data()?;
    disk.rename(UNFINISHED, NAME)?;
    disk.sync_folder("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::disk::SimDisk;

    fn gone(first: u64, last: u64) -> Gone {
        Gone { first, last, count: last - first + 1, from: Some(5), ..Gone::default() }
    }

    #[test]
    fn what_is_known_outlives_a_power_cut_at_every_step() {
        for step in 1..40 {
            let disk = SimDisk::new(step);
            let register = Register::open(Arc::new(disk.clone()));
            register.replace(&[], &[gone(5, 9)]).expect("it is written");
            disk.lose_power_at(step);
            let changed = register.replace(&[(1, 9)], &[gone(7, 9)]).and_then(|()| register.date(77));
            let after = Register::open(Arc::new(disk.crash())).list();
            let dated = Gone { since: Some(77), ..gone(7, 9) };
            assert!(
                [gone(5, 9), gone(7, 9), dated].map(|gone| vec![gone]).contains(&after),
                "{step}: {after:?}"
            );
            assert!(changed.is_err() || after == [dated], "{step}: {after:?}");
        }
    }

    #[test]
    fn what_was_accepted_stays_so_and_new_losses_are_new() {
        let disk: Arc<dyn Disk> = Arc::new(SimDisk::new(1));
        let register = Register::open(disk.clone());
        register.accept(&[gone(5, 9)]).expect("it is written");
        register.hurt((20, 30)).expect("it is written");
        let register = Register::open(disk.clone());
        assert!(register.is_hurt() && register.knows((6, 8)) && register.has_accepted());
        assert!(!register.knows((6, 10)) && !register.knows((20, 30)));
        register.tried([(20, 30)]).expect("it is written");
        register.hurt((20, 30)).expect("it is written");
        assert!(!register.is_hurt(), "backups were looked through for it");
        register.hurt((20, 31)).expect("it is written");
        assert!(Register::open(disk).is_hurt());
    }

    #[test]
    fn there_are_never_too_many_and_a_broken_line_spoils_no_other() {
        let disk: Arc<dyn Disk> = Arc::new(SimDisk::new(1));
        let register = Register::open(disk.clone());
        let many: Vec<Gone> =
            (1..=2 * LOSSES_KNOWN_MAX as u64).map(|at| gone(at * 10, at * 10 + 1)).collect();
        register.replace(&[], &many).expect("it is written");
        assert_eq!(register.list().len(), LOSSES_KNOWN_MAX);
        assert!(many.iter().all(|gone| register.knows((gone.first, gone.last))));
        disk.open(NAME).and_then(|file| file.write_at(b"#", 3)).expect("it is hurt");
        assert_eq!(Register::open(disk).list().len(), LOSSES_KNOWN_MAX - 1);
    }
}
