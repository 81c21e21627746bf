//! The repository on disk, read once.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use super::Source;

/// Folders that hold what was built, fetched or run, at any depth.
const NOT_OURS: [&str; 6] = ["target", "node_modules", ".git", ".cache", "linnet-data", "__pycache__"];

/// Every file of the repository.
pub static FILES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let mut files = Vec::new();
    read_folder(Path::new(ROOT), &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.iter().any(|file| file.path == "Cargo.toml"), "the repository is not at {ROOT}");
    files
});

/// The repository's folder.
pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The file at a path, if there is one.
pub fn file(path: &str) -> Option<&'static Source> {
    FILES.iter().find(|file| file.path == path)
}

/// The Rust files under `src/`.
pub fn product() -> impl Iterator<Item = &'static Source> {
    FILES.iter().filter(|file| file.is_product())
}

fn read_folder(folder: &Path, files: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_symlink() || NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            read_folder(&path, files);
        } else if path.is_file() {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            let inside = path.strip_prefix(ROOT).unwrap().to_string_lossy().into_owned();
            files.push(Source { path: inside, text });
        }
    }
}
