//! Cargo.toml declares what is used, and the top level is what its owner fixed.

use std::collections::BTreeSet;
use std::fs;

use toml::Table;

use super::{Finding, Source, hold, paths, tree, whats};

/// The top level, beside dotfiles.
const TOP_LEVEL: [&str; 8] =
    ["Cargo.toml", "Cargo.lock", "LICENSE", "README.md", "boards", "cross.toml", "src", "systemd"];

#[test]
fn every_dependency_is_used() {
    let manifest = tree::file("Cargo.toml").unwrap();
    let findings = unused(manifest, &tree::FILES);
    hold("nothing is declared and unused", &findings);
}

#[test]
fn the_top_level_is_as_its_owner_fixed_it() {
    let entries = fs::read_dir(tree::ROOT)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let ignored = &tree::file(".gitignore").unwrap().text;
    let findings: Vec<Finding> = entries.filter_map(|name| stray(&name, ignored)).collect();
    hold("the top level is Cargo.toml .cargo/ src/ boards/ systemd/ cross.toml tests/ README.md", &findings);
}

#[test]
fn every_way_to_a_pi_zero_leads_to_one_target() {
    let table = |path: &str| -> Table { tree::file(path).unwrap().text.parse().unwrap() };
    let (cargo, cross, manifest) = (table(".cargo/config.toml"), table("cross.toml"), table("Cargo.toml"));
    let alias: Vec<&str> = cargo["alias"]["pi"].as_str().unwrap().split(' ').collect();
    let ["zigbuild", "--profile", profile, "--target", target] = alias[..] else { panic!("{alias:?}") };
    assert_eq!(cross["build"]["default-target"].as_str(), Some(target));
    let flags = cargo["target"][target]["rustflags"].as_array().unwrap();
    for flag in ["-Ctarget-cpu=arm1176jzf-s", "-Ctarget-feature=+crt-static"] {
        assert!(flags.iter().any(|set| set.as_str() == Some(flag)), "{flag} is not set for {target}");
    }
    assert_eq!(manifest["profile"][profile]["panic"].as_str(), Some("abort"));
    let budget = manifest["package"]["metadata"]["linnet"]["budget"].as_table().unwrap();
    assert!(budget["binary_bytes_aim"].as_integer() < budget["binary_bytes_max"].as_integer());
}

/// The files Cargo starts to compile from.
pub fn roots(manifest: &Source) -> Vec<String> {
    let table: Table = manifest.text.parse().unwrap();
    let lists =
        ["bin", "test", "bench", "example"].iter().filter_map(|kind| table.get(*kind)?.as_array()).flatten();
    let targets = lists.chain(table.get("lib"));
    let declared = targets.filter_map(|target| Some(target.get("path")?.as_str()?.to_owned()));
    let build = table.get("package").and_then(|package| package.get("build")?.as_str().map(str::to_owned));
    declared.chain(build).collect()
}

fn unused(manifest: &Source, files: &[Source]) -> Vec<Finding> {
    let table: Table = manifest.text.parse().unwrap();
    let named_in = |under: &[&str]| -> BTreeSet<String> {
        let rust =
            files.iter().filter(|file| file.is_rust() && under.iter().any(|at| file.path.starts_with(at)));
        rust.flat_map(paths::paths).map(|path| path.segments[0].clone()).collect()
    };
    let places: [(&str, &[&str]); 2] =
        [("dependencies", &["src/"]), ("dev-dependencies", &["src/", "tests/"])];
    let mut findings = Vec::new();
    for (section, under) in places {
        let named = named_in(under);
        let declared = table.get(section).and_then(|section| section.as_table());
        for name in declared.into_iter().flat_map(Table::keys) {
            if !named.contains(&name.replace('-', "_")) {
                let line = manifest.text.lines().position(|line| line.starts_with(&format!("{name} ")));
                let what = format!(
                    "{name} is declared under [{section}] and named nowhere in {}",
                    under.join(" or ")
                );
                findings.push(manifest.finding(line.map_or(1, |line| line + 1), what));
            }
        }
    }
    findings
}

fn stray(name: &str, ignored: &str) -> Option<Finding> {
    let is_allowed = name.starts_with('.') || name == "tests" || TOP_LEVEL.contains(&name);
    let is_ignored = ignored.lines().any(|line| line.trim_start_matches('/') == name);
    let what = "does not belong at the top level: architecture is rustdoc, rules are tests, commands are aliases or under tests/";
    (!is_allowed && !is_ignored).then(|| Source::new(name, "").finding(1, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[package]\nname = \"x\"\n[lib]\npath = \"src/lib.rs\"\n[[test]]\nname = \"it\"\npath = \"tests/it/main.rs\"\n[dependencies]\nhyper-util = \"1\"\nsled = { version = \"0.34\" }\n[dev-dependencies]\ntempfile = \"3\"\n";

    #[test]
    fn a_dependency_nobody_names_is_caught() {
        let manifest = Source::new("Cargo.toml", MANIFEST);
        let files = [
            Source::new("src/lib.rs", "use hyper_util::rt;\n// sled::open"),
            Source::new("tests/it/main.rs", "fn f() { sled::open(); tempfile::tempdir(); }"),
        ];
        let found = unused(&manifest, &files);
        assert_eq!(whats(&found), ["sled is declared under [dependencies] and named nowhere in src/"]);
        assert_eq!(found[0].line, 10);
    }

    #[test]
    fn roots_are_what_the_manifest_declares() {
        assert_eq!(roots(&Source::new("Cargo.toml", MANIFEST)), ["tests/it/main.rs", "src/lib.rs"]);
    }

    #[test]
    fn a_stray_entry_is_caught() {
        for name in ["docs", "web", "xtask", "Makefile", "notes.txt"] {
            assert!(stray(name, "/target\n").is_some(), "{name}");
        }
        for name in ["src", "tests", ".ci", "target", "LICENSE"] {
            assert_eq!(stray(name, "/target\n"), None, "{name}");
        }
    }
}
