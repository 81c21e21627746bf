//! `linnet clock`: what time the node believes it is, and setting it on a machine that does not know.

use super::Action;
use super::args::{Opt, Spec};
use super::table::{plain, utc};
use crate::base::date;
use crate::doors::control::wire::{ClockLine, Request};

pub(super) const CLOCK: Spec = Spec {
    words: "clock",
    operands: &["[set]", "[TIME]"],
    options: &[Opt::switch("--json")],
    help: HELP,
    build: |given, _| {
        let request = match (given.first(), given.rest()) {
            (None, _) => Request::Clock,
            (Some("set"), None) => Request::ClockSet { time_ms: None },
            (Some("set"), Some(time)) => {
                let time_ms = date::parse(&time).ok_or_else(|| {
                    given.usage(format!(
                        "'{}' is no time; give it as \"2026-05-01 12:30\" in UTC",
                        time.escape_debug()
                    ))
                })?;
                Request::ClockSet { time_ms: Some(time_ms) }
            }
            (Some(other), _) => {
                return Err(
                    given.usage(format!("'clock' does not take '{}'; it has 'set'", other.escape_debug()))
                );
            }
        };
        Ok(Action::Ask { sources: given.sources(), request, json: given.has("--json") })
    },
};

const HELP: &str = "\
linnet clock: what time the node believes it is

usage: linnet clock [set [TIME]] [--json]

  set              set the time of a node whose machine does not know it; no clock of the machine is changed
  TIME             such as \"2026-05-01 12:30\" or 2026-05-01T12:30:00+02:00; UTC unless it says otherwise.
                   Without it the machine's clock is taken: you say that it is right
  --json           for scripts
  --data DIR       the node's data folder (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

What was said while nobody knew the time is shown with the right times from then on. A time server that comes later
knows better.

examples:
  linnet clock
  linnet clock set \"2026-05-01 12:30\"
";

/// How the clock stands, and what to do when nobody speaks for it.
pub(super) fn show(clock: &ClockLine) -> String {
    let by = match &*clock.trust {
        "machine" => "known by this machine".to_owned(),
        "person" => "set by a person".to_owned(),
        "nobody" => "a guess: nobody has set it".to_owned(),
        other => plain(other),
    };
    let machine = clock.machine_ms.map_or(String::new(), |ms| format!("machine says {}\n", utc(ms)));
    let next =
        if clock.machine_ms.is_some() && clock.trust != "person" { "next: linnet clock set\n" } else { "" };
    format!("{}, {by}\n{machine}{next}", utc(clock.time_ms))
}
