//! `linnet user`: people and bots.

use super::Action;
use super::args::{Given, Opt, Spec, Usage};
use super::table::{plain, table};
use crate::base::limits::PASSWORD_BYTES_MAX;
use crate::base::secret::Secret;
use crate::doors::control::wire::{Request, UserLine};
use std::io::Read;

const PASSWORD: Opt = Opt::switch("--password-stdin");
const JSON: Opt = Opt::switch("--json");

pub(super) const ADD: Spec = Spec {
    words: "user add",
    operands: &["NAME"],
    options: &[Opt::valued("--role", "ROLE"), PASSWORD, JSON],
    help: HELP,
    build: |given, input| {
        let password = password(&given, input)?;
        let role = given.value("--role").unwrap_or("user").to_owned();
        ask(&given, Request::UserAdd { name: given.operand(), role, password })
    },
};

pub(super) const LIST: Spec = Spec {
    words: "user list",
    operands: &[],
    options: &[JSON],
    help: HELP,
    build: |given, _| ask(&given, Request::UserList),
};

pub(super) const PASSWD: Spec = Spec {
    words: "user passwd",
    operands: &["NAME"],
    options: &[PASSWORD, JSON],
    help: HELP,
    build: |given, input| {
        let password = password(&given, input)?;
        ask(&given, Request::UserPasswd { name: given.operand(), password })
    },
};

const HELP: &str = "\
linnet user: people and bots

usage: linnet user add NAME [--role ROLE] --password-stdin [--json]
       linnet user list [--json]
       linnet user passwd NAME --password-stdin [--json]

  --role ROLE       user (unless given), admin, bot or guest
  --password-stdin  read the password, one line, from standard input: on the command line others could see it
  --json            for scripts
  --data DIR        the node's data folder (./linnet-data)
  --config FILE     settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

examples:
  linnet user add alice --role admin --password-stdin < password.txt
  systemd-ask-password | linnet user passwd alice --password-stdin
  linnet user list
";

/// A new account.
pub(super) fn show_added(user: &UserLine) -> String {
    format!("added {} ({})\nnext: linnet user list\n", plain(&user.name), plain(&user.roles.join(", ")))
}

/// An account with a new password.
pub(super) fn show_changed(user: &UserLine) -> String {
    format!("{} has a new password; sessions with the old one are ended\n", plain(&user.name))
}

/// All accounts.
pub(super) fn show_list(users: Vec<UserLine>) -> String {
    if users.is_empty() {
        return "nobody yet\nnext: linnet owner\n".to_owned();
    }
    let state = |user: &UserLine| if user.active { "" } else { "switched off" }.to_owned();
    let row = |user: &UserLine| vec![plain(&user.name), plain(&user.roles.join(", ")), state(user)];
    table(&["name", "roles", ""], users.iter().map(row))
}

fn ask(given: &Given, request: Request) -> Result<Action, Usage> {
    Ok(Action::Ask { sources: given.sources(), request, json: given.has("--json") })
}

fn password(given: &Given, input: &mut dyn Read) -> Result<Secret, Usage> {
    if !given.has(PASSWORD.name) {
        return Err(
            given.usage("the password comes by --password-stdin: on the command line others could see it")
        );
    }
    let mut line = Vec::new();
    let read = input.take(PASSWORD_BYTES_MAX as u64 + 1).read_to_end(&mut line);
    read.map_err(|error| given.usage(format!("standard input cannot be read: {error}")))?;
    let text = String::from_utf8(line).map_err(|_| given.usage("the password is not UTF-8 text"))?;
    let password = text.lines().next().unwrap_or("");
    match password.len() {
        0 => Err(given.usage("standard input holds no password")),
        1..=PASSWORD_BYTES_MAX => Ok(Secret::new(password)),
        _ => Err(given.usage(format!("the password is longer than {PASSWORD_BYTES_MAX} bytes"))),
    }
}
