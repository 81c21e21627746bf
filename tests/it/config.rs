//! Settings as a person meets them: printed, traced to their origin, and refused with the line and what to write.

use crate::program::Desk;

#[test]
fn config_prints_every_setting_and_the_print_is_accepted() {
    let printed = Desk::with(&[]).run("config");
    assert_eq!((printed.code, printed.err.as_str()), (0, ""));
    for words in [
        "data = \"./linnet-data\"",
        "[http]",
        "address = \"0.0.0.0:3000\"",
        "access = \"invite\"",
        "# [[bridge]]",
    ] {
        assert!(printed.out.contains(words), "{words} is missing in\n{}", printed.out);
    }
    let copied = Desk::with(&[("linnet.toml", &printed.out)]).run("config --origin");
    assert_eq!(copied.code, 0, "{}", copied.err);
    assert!(copied.out.contains("linnet.toml:"), "{}", copied.out);
}

#[test]
fn origin_names_default_file_environment_and_flag() {
    let bridge = "[[bridge]]\nname = 'porch'\nurl = 'mqtt://broker'\nuser = 'me'\npassword = 'swordfish'\ntopic = '#'\nroom = 'garden'";
    let desk = Desk::with(&[("linnet.toml", "# mine\nname = 'Hut'\n"), ("conf.d/10-bridge.toml", bridge)]);
    let ran = desk.run_with("config --origin --http 127.0.0.1:0", &[("LINNET_ACCESS", "lan-guests")]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let lines: Vec<Vec<&str>> = ran
        .out
        .lines()
        .map(|line| line.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    for expected in [
        ["data", "= \"./linnet-data\"", "default"],
        ["name", "= \"Hut\"", "linnet.toml:2"],
        ["access", "= \"lan-guests\"", "environment LINNET_ACCESS"],
        ["http.address", "= \"127.0.0.1:0\"", "flag --http"],
        ["bridge.porch.url", "= \"mqtt://broker\"", "conf.d/10-bridge.toml:3"],
        ["bridge.porch.password", "= ***", "conf.d/10-bridge.toml:5"],
        ["bridge.porch.qos", "= 1", "default"],
    ] {
        assert!(lines.iter().any(|line| line == &expected), "{expected:?} is missing in\n{}", ran.out);
    }
    assert!(!ran.out.contains("swordfish"), "{}", ran.out);
}

#[test]
fn a_wrong_line_stops_every_command_and_says_what_to_write() {
    let desk = Desk::with(&[("linnet.toml", "name = 'Hut'\n[http]\nadress = '0.0.0.0:80'\nhosts = 3\n")]);
    for line in ["serve", "config --origin", "status", "device list"] {
        let ran = desk.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{line}");
        assert!(
            ran.err.starts_with(
                "linnet.toml:3: unknown setting 'http.adress'; did you mean 'http.address'?\n\
                 linnet.toml:4: http.hosts is the number 3; expected a list"
            ),
            "{}",
            ran.err
        );
        assert!(ran.err.ends_with("'linnet config' prints every setting with its meaning\n"), "{}", ran.err);
    }
    assert_eq!(desk.run("config").code, 0, "the defaults can still be read");
}

#[test]
fn wrong_variables_and_flags_name_themselves() {
    let desk = Desk::with(&[]);
    let ran = desk.run_with("config --origin", &[("LINNET_HTTP__ADDRESS", "3000")]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err
            .starts_with("environment LINNET_HTTP__ADDRESS: http.address is \"3000\"; expected an address"),
        "{}",
        ran.err
    );

    let ran = desk.run("serve --http 3000");
    assert_eq!(ran.code, 2, "the command line is at fault");
    assert!(
        ran.err.starts_with("flag --http: http.address is \"3000\"; expected an address with a port"),
        "{}",
        ran.err
    );
}

#[test]
fn a_strange_variable_is_a_warning_only() {
    let ran = Desk::with(&[]).run_with("config --origin", &[("LINNET_ACESS", "invite"), ("LINNET_BIN", "x")]);
    assert_eq!(ran.code, 0);
    assert_eq!(
        ran.err,
        "linnet: warning: environment LINNET_ACESS is no setting of linnet; did you mean LINNET_ACCESS?\n"
    );
}

#[test]
fn the_file_can_be_named_by_flag_or_variable() {
    let desk = Desk::with(&[
        ("linnet.toml", "name = 'here'"),
        ("a/b.toml", "name = 'there'"),
        ("a/conf.d/1.toml", "log = 'warn'"),
    ]);
    for ran in [
        desk.run("config --origin --config a/b.toml"),
        desk.run_with("config --origin", &[("LINNET_CONFIG", "a/b.toml")]),
    ] {
        assert!(
            ran.out.contains("a/b.toml:1") && ran.out.contains("a/conf.d/1.toml:1"),
            "{}{}",
            ran.out,
            ran.err
        );
    }
    let ran = desk.run("config --origin --config absent.toml");
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("absent.toml: cannot be read: "), "{}", ran.err);
}
