//! Where the program runs: the board, the machine's figures, and the terminal it is asked on.

use crate::base::budget::{Budget, Machine};
use crate::config::Config;
use crate::doors::gpio::{self, Found};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

/// Columns of a terminal that does not say how many it has.
const COLUMNS: usize = 80;

/// What the operating system shows of itself, and who reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Here {
    /// Where the files of the machine begin.
    pub root: PathBuf,
    /// Whether colours are welcome.
    pub colour: bool,
    /// Columns to draw in.
    pub columns: usize,
}

impl Here {
    /// This machine and the standard output of this process.
    pub fn of_process() -> Here {
        let out = io::stdout();
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let size = rustix::termios::tcgetwinsize(&out).ok().map(|size| usize::from(size.ws_col));
        Here {
            root: PathBuf::from("/"),
            colour: out.is_terminal() && !is_set("NO_COLOR") && !is_dumb,
            columns: size.filter(|columns| *columns > 0).unwrap_or(COLUMNS),
        }
    }
}

/// The board linnet stands on and what it may use of it.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Which board, and how that is known.
    pub found: Found,
    /// What the machine has.
    pub machine: Machine,
    /// What linnet may use.
    pub budget: Budget,
}

impl Standing {
    /// By these settings, on the machine whose files begin at `root`.
    pub fn of(root: &Path, config: &Config) -> Standing {
        let found = gpio::find(root, config.board.as_deref());
        let machine = Machine {
            memory: std::fs::read_to_string(root.join("proc/meminfo")).ok().as_deref().and_then(total),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
        };
        let budget = Budget::of(&found.board.share, machine, config.budget);
        Standing { found, machine, budget }
    }
}

/// Bytes of memory that the kernel has to give.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_how_much_memory_there_is() {
        assert_eq!(total("MemTotal:         440140 kB\nMemFree: 1 kB\n"), Some(440_140 * 1024));
        assert_eq!(total("MemTotal: 18446744073709551615 kB\n"), None);
        assert_eq!(total(""), None);
    }
}
