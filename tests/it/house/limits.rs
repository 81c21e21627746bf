//! Every maximum of `src/base/limits.rs` has its reason and is really used.

use std::collections::BTreeSet;

use super::{Finding, Source, hold, tree, whats};

const LIMITS: &str = "src/base/limits";

#[test]
fn every_limit_has_a_reason_and_a_use() {
    let files: Vec<&Source> = tree::product().collect();
    let findings = findings(&files);
    hold("limits.rs: a doc comment with unit and reason, and code that keeps it", &findings);
}

fn findings(files: &[&Source]) -> Vec<Finding> {
    let (limits, code): (Vec<&Source>, Vec<&Source>) =
        files.iter().partition(|file| file.path.starts_with(LIMITS));
    let used: BTreeSet<String> = code.iter().flat_map(|file| file.tokens()).map(|token| token.text).collect();
    limits.into_iter().flat_map(|file| limit_findings(file, &used)).collect()
}

fn limit_findings(limits: &Source, used: &BTreeSet<String>) -> Vec<Finding> {
    let lines: Vec<&str> = limits.text.lines().collect();
    let consts = lines.iter().enumerate().filter_map(|(at, line)| {
        let name = line.trim_start().strip_prefix("pub const ")?.split(':').next()?;
        Some((at, name.trim()))
    });
    let mut findings = Vec::new();
    for (at, name) in consts {
        let above = lines[..at].iter().rev().find(|line| !line.trim_start().starts_with("#["));
        if !above.is_some_and(|line| line.trim_start().starts_with("///")) {
            findings.push(
                limits.finding(at + 1, format!("{name} has no doc comment: say its unit and its reason")),
            );
        }
        if !used.contains(name) {
            findings.push(
                limits.finding(at + 1, format!("{name} is named nowhere else in src/: keep it or delete it")),
            );
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_without_a_reason_or_a_use_is_caught() {
        let limits = Source::new(
            "src/base/limits.rs",
            "/// Characters; Rocket.Chat's own.\npub const TEXT_CHARS_MAX: usize = 5_000;\n\npub const BARE: u8 = 1;\n/// Unused.\npub const IDLE: u8 = 1;\n",
        );
        let code = Source::new("src/chat/message.rs", "// IDLE\nfn f() { limits::TEXT_CHARS_MAX + BARE }");
        let found = findings(&[&limits, &code]);
        assert_eq!(found.len(), 2, "{:?}", whats(&found));
        assert!(found[0].what.starts_with("BARE has no doc comment"), "{}", found[0]);
        assert!(found[1].what.starts_with("IDLE is named nowhere"), "{}", found[1]);
    }
}
