//! `linnet config`: every setting, and where each value comes from.

use super::args::{Opt, Spec};
use super::table::table;
use super::{Action, Streams};
use crate::config::{DEFAULTS, Loaded};
use std::io;

pub(super) const CONFIG: Spec = Spec {
    words: "config",
    operands: &[],
    options: &[
        Opt::switch("--origin"),
        Opt::setting("--http", "ADDR:PORT", "http.address"),
        Opt::setting("--mqtt", "ADDR:PORT", "mqtt.address"),
    ],
    help: HELP,
    build: |given, _| Ok(Action::Config { sources: given.sources(), origin: given.has("--origin") }),
};

const HELP: &str = "\
linnet config: every setting, with its meaning and default, as a file to copy from

usage: linnet config [--origin] [--data DIR] [--config FILE] [--http ADDR:PORT] [--mqtt ADDR:PORT|off]

  --origin          print the values in use instead, and where each comes from; secrets show as ***
  --data DIR        as 'linnet serve' takes it, to see what would come of it; so are --http and --mqtt
  --config FILE     settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

The later wins: defaults, the file, conf.d/*.toml beside it, environment (LINNET_HTTP__ADDRESS), flags.

examples:
  linnet config > linnet.toml     start from all defaults
  linnet config --origin          who decided this port?
";

/// The defaults as they are in the binary.
pub(super) fn print_defaults(streams: &mut Streams<'_>) -> io::Result<()> {
    streams.out.write_all(DEFAULTS.as_bytes())
}

/// One line for each setting in use.
pub(super) fn print_origins(loaded: &Loaded, streams: &mut Streams<'_>) -> io::Result<()> {
    let row =
        |row: &crate::config::Row| vec![row.key.clone(), format!("= {}", row.value), row.origin.to_string()];
    streams.out.write_all(table(&[], loaded.rows.iter().map(row)).as_bytes())
}
