//! Where events go: standard error, a line each. A service manager adds the time.

use std::io::IsTerminal;
use tracing::Level;

/// Starts writing events of this level and above.
pub fn start(level: Level) {
    let colours = std::io::stderr().is_terminal();
    let lines =
        tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_ansi(colours);
    // A second start in one process keeps the first writer, which is as good.
    let _ = lines.without_time().with_target(false).try_init();
}
