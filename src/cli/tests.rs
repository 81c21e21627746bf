//! Commands against a store that answers from a script, and the help against what is really taken.

use super::*;
use crate::doors::control::vitals::{DiskLine, TroubleLine, Vitals, WriteLine};
use crate::doors::control::wire::{
    ClockLine, Fetched, OwnerLink, RoomLine, StatusReport, TailLine, UserLine,
};
use std::cell::RefCell;

mod device;

/// Answers every request with the same reply and remembers what it was asked.
struct Scripted {
    reply: Reply,
    asked: RefCell<Option<Request>>,
    served: RefCell<bool>,
}

impl Backend for Scripted {
    fn serve(&self, _: Loaded, _: bool) -> Result<(), Failure> {
        *self.served.borrow_mut() = true;
        Ok(())
    }

    fn offline(&self, _: &Config, request: Request) -> Reply {
        *self.asked.borrow_mut() = Some(request);
        self.reply.clone()
    }

    fn fetch_offline(
        &self,
        _: &Path,
        request: &Request,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Reply {
        *self.asked.borrow_mut() = Some(request.clone());
        take(b"everything").expect("it can be taken");
        self.reply.clone()
    }

    fn converse_offline(
        &self,
        _: &Path,
        next: &mut dyn FnMut(Option<Reply>) -> Option<Request>,
    ) -> Result<(), Failure> {
        let mut reply = None;
        while let Some(request) = next(reply.take()) {
            *self.asked.borrow_mut() = Some(request);
            reply = Some(self.reply.clone());
        }
        Ok(())
    }

    fn restore(
        &self,
        data: &Path,
        input: &mut dyn Read,
        _: crate::store::backup::Mode,
    ) -> Result<crate::store::backup::Outcome, Failure> {
        let mut text = String::new();
        input.read_to_string(&mut text).expect("text");
        Err(Failure { message: format!("{text} into {}", data.ends_with("nest")), hint: None })
    }
}

/// What came of one command line.
struct Outcome {
    code: u8,
    out: String,
    err: String,
    asked: Option<Request>,
    served: bool,
}

fn command(line: &str, input: &str, reply: Reply) -> Outcome {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = folder.path().join("linnet.toml");
    std::fs::write(&settings, "http.address = '127.0.0.1:3000'").expect("written");
    let place = format!(" --data {0} --config {0}/linnet.toml", folder.path().display());
    let line = line.replace(" @", &place);
    let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
    let backend = Scripted { reply, asked: RefCell::default(), served: RefCell::default() };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut streams = Streams { input: &mut input.as_bytes(), out: &mut out, err: &mut err };
    let code = run_with(&args, &backend, &mut streams);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Outcome {
        code,
        out: text(out),
        err: text(err),
        asked: backend.asked.into_inner(),
        served: backend.served.into_inner(),
    }
}

fn check(line: &str, reply: Reply, expected: &str) -> Request {
    let outcome = command(&format!("{line} @"), "swordfish\nmore\n", reply);
    assert_eq!(outcome.err, "", "{line}");
    assert_eq!(outcome.out, expected, "{line}");
    assert_eq!(outcome.code, 0, "{line}");
    outcome.asked.expect("asked")
}

#[test]
fn a_backup_goes_where_it_is_told_and_is_there_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("nest.backup");
    let line = format!("backup {} @", file.display());
    let fetched = Fetched { entries: 7, last_seq: 9, damaged: 1, damage: vec!["bad group".into()] };
    let outcome = command(&line, "", Reply::ok(&fetched));
    assert_eq!((outcome.code, outcome.asked), (0, Some(Request::Backup)));
    assert!(outcome.err.starts_with("a backup of 7 Changes, up to sequence 9\nwarning: "), "{}", outcome.err);
    assert!(outcome.err.contains("\n  bad group\n"), "{}", outcome.err);
    assert_eq!(std::fs::read(&file).expect("written"), b"everything");
    let again = command(&line, "", Reply::ok(&Fetched::default()));
    assert!(again.code == 1 && again.asked.is_none(), "it is refused before anything is asked");
    std::fs::remove_file(&file).expect("removed");
    assert_eq!(command(&line, "", Reply::refused("no", "do")).code, 1);
    assert_eq!(folder.path().read_dir().expect("a folder").count(), 0, "nothing is left of it");
    let restored = command("restore - @", "a pipe", Reply::ok(&()));
    assert_eq!(restored.err, "linnet: a pipe into false\n");
    assert_eq!(command("backup --verify --force x @", "", Reply::ok(&())).code, 2);
}

#[test]
fn a_password_comes_from_the_input_and_nowhere_else() {
    let alice = Reply::ok(&UserLine { name: "alice".into(), roles: vec!["admin".into()], active: true });
    let line = "user add alice --role admin --password-stdin";
    let asked = check(line, alice.clone(), "added alice (admin)\nnext: linnet user list\n");
    let Request::UserAdd { name, role, password } = asked else { panic!("{asked:?}") };
    assert_eq!((name.as_str(), role.as_str(), password.expose()), ("alice", "admin", "swordfish"));
    let asked = check(
        "user passwd alice --password-stdin",
        alice.clone(),
        "alice has a new password; sessions with the old one are ended\n",
    );
    assert!(matches!(asked, Request::UserPasswd { password, .. } if password.expose() == "swordfish"));
    for (line, input, says) in [
        ("user add alice @", "x", "--password-stdin"),
        ("user add alice --password-stdin @", "", "no password"),
        ("user passwd alice --password-stdin @", &"x".repeat(2_000), "longer than"),
    ] {
        let outcome = command(line, input, alice.clone());
        assert_eq!((outcome.code, outcome.asked.is_none()), (2, true), "{line}");
        assert!(outcome.err.contains(says), "{}", outcome.err);
    }
}

#[test]
fn lists_of_people_and_rooms_line_up() {
    let bob = UserLine { name: "bob".into(), roles: vec!["user".into()], active: false };
    check("user list", Reply::ok(&[bob]), "name   roles\nbob    user    switched off\n");
    check("user list", Reply::ok(&[0u8; 0]), "nobody yet\nnext: linnet owner\n");
    let room = RoomLine { name: "garden".into(), kind: "public".into(), members: 2, messages: 41 };
    check(
        "room list",
        Reply::ok(&[room]),
        "name     kind     members   messages\ngarden   public   2         41\n",
    );
}

#[test]
fn a_text_is_posted_from_the_line_or_the_input() {
    let stored = TailLine {
        seq: 1,
        time_ms: 0,
        room: "garden".into(),
        from: "alice".into(),
        text: "x".into(),
        time_uncertain: false,
    };
    let stored = Reply::ok(&stored);
    let says = "posted in #garden as alice\nnext: linnet tail garden\n";
    let text_of = |request: Request| {
        if let Request::Post { text, .. } = request { text } else { panic!("{request:?}") }
    };
    assert_eq!(text_of(check("post garden tea is ready", stored.clone(), says)), "tea is ready");
    assert_eq!(text_of(check("post #garden", stored.clone(), says)), "swordfish\nmore");
    let dashed = command("post garden @ -- -5 degrees", "", stored.clone());
    assert_eq!(text_of(dashed.asked.expect("asked")), "-5 degrees");
    for (input, says) in
        [("", "nothing to post"), (&"x".repeat(5_001), "at most 5000"), (&"x".repeat(90_000), "at most")]
    {
        let outcome = command("post garden @", input, stored.clone());
        assert!(outcome.code == 2 && outcome.err.contains(says), "{}", outcome.err);
    }
}

#[test]
fn a_room_is_shown_without_letting_it_steer_the_terminal() {
    let text = "door \x1b[2Jopen\nsince noon".to_owned();
    let line = TailLine {
        seq: 7,
        time_ms: 1_763_822_102_000,
        room: "garden".into(),
        from: "porch".into(),
        text,
        time_uncertain: true,
    };
    let shown = "2025-11-22 14:35:02Z? porch: door \u{fffd}[2Jopen\n    since noon\n";
    let asked = check("tail garden --since 6", Reply::ok(&[line]), shown);
    assert_eq!(asked, Request::Tail { room: "garden".into(), since: Some(6) });
    assert_eq!(command("tail garden --since yesterday @", "", Reply::ok(&0)).code, 2);
}

#[test]
fn the_clock_is_shown_and_set() {
    let known = ClockLine { time_ms: 1_763_822_102_000, trust: "machine".into(), machine_ms: None };
    let says = "2025-11-22 14:35:02Z, known by this machine\n";
    assert_eq!(check("clock", Reply::ok(&known), says), Request::Clock);
    let guess = ClockLine { trust: "nobody".into(), machine_ms: Some(5_000), ..known };
    let says = "2025-11-22 14:35:02Z, a guess: nobody has set it\nmachine says 1970-01-01 00:00:05Z\nnext: linnet clock set\n";
    let set = |time_ms| Request::ClockSet { time_ms };
    assert_eq!(check("clock set", Reply::ok(&guess), says), set(None));
    let asked = check("clock set 2025-11-22 14:35:02", Reply::ok(&guess), says);
    assert_eq!(asked, set(Some(1_763_822_102_000)));
    for wrong in ["clock set noon", "clock sets"] {
        assert_eq!(command(&format!("{wrong} @"), "", Reply::ok(&0)).code, 2);
    }
}

#[test]
fn the_owner_and_the_state_of_the_node_are_told() {
    let link = OwnerLink { path: "/#own-4F7K".into(), url: None, expires_s: 900 };
    let says = "open http://127.0.0.1:3000/#own-4F7K to make yourself the owner (works once, for 15 min)\n";
    assert_eq!(check("owner", Reply::ok(&link), says), Request::OwnerLink);
    let report = StatusReport {
        version: "0.1.0".into(),
        running: true,
        pid: Some(7),
        data: "./d".into(),
        http: Some("127.0.0.1:1".into()),
        uptime_s: Some(100_000),
        memory_bytes: Some(6_000_000),
        messages: 41,
        ..StatusReport::default()
    };
    let says = "version    0.1.0\ndata       ./d\nnode       running for 1 d 3 h, process 7\nhttp       127.0.0.1:1\n\
                memory     6 MB\npeople     0\ndevices    0\nrooms      0\nmessages   41\nnext: linnet room list\n";
    check("status", Reply::ok(&report), says);
    check(
        "status",
        Reply::ok(&StatusReport { vitals: Some(vitals()), ..report }),
        &says.replace("next:", VITALS),
    );
    let stopped = command("status @", "", Reply::ok(&StatusReport::default())).out;
    assert!(stopped.contains("not running\n") && stopped.ends_with("next: linnet serve\n"), "{stopped}");
}

const VITALS: &str = "\
kept       2 MB of messages, 1 MB of index
written    6 MB in 52 syncs since the start, 150000 bytes a message
disk       40 MB of 8000 MB free, 64 MB of it kept free
clock      set by a person
error      The disk is full.
next:";

fn vitals() -> Vitals {
    let trouble =
        |text: &str| TroubleLine { kind: "disk_full".into(), severity: "error".into(), text: text.into() };
    Vitals {
        troubles: vec![trouble("The disk is full.")],
        clock: "person".into(),
        journal_bytes: 2_000_000,
        index_bytes: 1_000_000,
        disk: Some(DiskLine { total_bytes: 8_000_000_000, free_bytes: 40_000_000, floor_bytes: 64_000_000 }),
        writes: WriteLine {
            journal_bytes: 5_000_000,
            journal_syncs: 42,
            journal_sync_ms: 900,
            index_bytes: 1_000_000,
            index_syncs: 10,
            messages: 40,
        },
    }
}

#[test]
fn a_refusal_is_told_with_what_to_do() {
    let outcome =
        command("device show porch @", "", Reply::refused("no device 'porch'", "linnet device list"));
    assert_eq!((outcome.code, outcome.out.as_str()), (1, ""));
    assert_eq!(outcome.err, "linnet: no device 'porch'\n  linnet device list\n");
    let garbled = command("device show porch @", "", Reply::ok(&3));
    assert!(garbled.code == 1 && garbled.err.contains("makes no sense"), "{}", garbled.err);
}

#[test]
fn test_mode_serves_on_loopback_only() {
    assert!(
        command("@ --http 127.0.0.1:0 --test-mode".trim(), "", Reply::ok(&0)).code == 2,
        "'@' needs a space"
    );
    let local = command("serve --test-mode @", "", Reply::ok(&0));
    assert!(local.code == 0 && local.served, "{}", local.err);
    let open = command("serve --test-mode --http 0.0.0.0:0 @", "", Reply::ok(&0));
    assert!(open.code == 1 && !open.served && open.err.contains("loopback only"), "{}", open.err);
}

#[test]
fn every_help_names_its_commands_and_all_their_options() {
    for spec in SPECS {
        let group = spec.words.split(' ').next().expect("a word");
        assert!(
            HELP.contains(&format!("\n  {group} ")) || group == "help",
            "{group} is missing in the program's help"
        );
        for option in spec.options.iter().map(|option| option.name).chain(["--data DIR", "--config FILE"]) {
            assert!(spec.help.contains(option), "{} does not explain {option}", spec.words);
        }
        let shown = command(&format!("{} --help", spec.words), "", Reply::ok(&0));
        assert_eq!((shown.code, shown.out.as_str()), (0, spec.help), "{}", spec.words);
        assert_eq!(command(&format!("help {group}"), "", Reply::ok(&0)).out, spec.help);
        let usage =
            if group == "serve" { "linnet [serve]".to_owned() } else { format!("linnet {}", spec.words) };
        assert!(spec.help.contains(&usage) || group == "help", "{usage} is missing");
        assert!(spec.help.contains("\nexample"), "{group} shows no example");
        assert!(spec.help.lines().all(|line| line.chars().count() <= 120), "{group} is too wide");
    }
}
