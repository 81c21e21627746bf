//! Golden files: what was sent once, looked at by somebody, and must not change unseen. `BLESS=1` writes them anew.

use std::path::PathBuf;

/// Compares JSON with `tests/golden/<name>.json`.
pub fn check(name: &str, json: &serde_json::Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.json"));
    let text = serde_json::to_string_pretty(json).unwrap() + "\n";
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{} differs: look at it, then run with BLESS=1", path.display());
}
