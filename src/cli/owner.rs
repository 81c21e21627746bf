//! `linnet owner`: a fresh link for whoever is to own the node.

use super::args::{Opt, Spec};
use super::{Action, machine, table::duration, table::plain};
use crate::config::Config;
use crate::doors::control::wire::{OwnerLink, Request};

pub(super) const OWNER: Spec = Spec {
    words: "owner",
    operands: &[],
    options: &[Opt::switch("--json")],
    help: HELP,
    build: |given, _| {
        Ok(Action::Ask { sources: given.sources(), request: Request::OwnerLink, json: given.has("--json") })
    },
};

const HELP: &str = "\
linnet owner: print a fresh link that makes its opener the owner of this node

usage: linnet owner [--json] [--data DIR] [--config FILE]

  --json           for scripts
  --data DIR       the node's data folder (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

The link works once and for some minutes. An older link ends.

example:
  linnet owner
";

/// The link, whole.
pub(super) fn show(link: &OwnerLink, config: &Config) -> String {
    let url = machine::url_or_own(link.url.as_deref(), config.http.address);
    let path = plain(&link.path);
    format!(
        "open {}{path} to make yourself the owner (works once, for {})\n",
        plain(&url),
        duration(link.expires_s)
    )
}
