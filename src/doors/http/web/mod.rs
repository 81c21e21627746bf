//! The web page's files, carried in the binary. Nothing here speaks HTTP: the door asks for a path and sends what it gets.

use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// What a browser may do with the page: use the node's own files and talk to the node, nothing else.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// One file of the page.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// The content.
    pub bytes: &'static [u8],
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The value of `ETag`, quotes included; it changes with the content.
    pub etag: &'static str,
}

struct File {
    path: &'static str,
    bytes: &'static [u8],
}

macro_rules! file {
    ($path:literal) => {
        File { path: $path, bytes: include_bytes!(concat!("app/", $path)) }
    };
}

/// Every file under `app/`, sorted by path; a test holds the two together.
static FILES: &[File] = &[
    file!("css/base.css"),
    file!("css/forms.css"),
    file!("css/marks.css"),
    file!("css/meanings.css"),
    file!("css/messages.css"),
    file!("css/palette.css"),
    file!("css/rooms.css"),
    file!("css/talk.css"),
    file!("icon.svg"),
    file!("index.html"),
    file!("js/api.js"),
    file!("js/copy.js"),
    file!("js/ddp.js"),
    file!("js/deeds.js"),
    file!("js/el.js"),
    file!("js/emoji.js"),
    file!("js/form.js"),
    file!("js/icons.js"),
    file!("js/lines.js"),
    file!("js/live.js"),
    file!("js/main.js"),
    file!("js/outbox.js"),
    file!("js/panes/add.js"),
    file!("js/panes/devices.js"),
    file!("js/panes/find.js"),
    file!("js/panes/invite.js"),
    file!("js/panes/leave.js"),
    file!("js/panes/make.js"),
    file!("js/panes/out.js"),
    file!("js/panes/people.js"),
    file!("js/panes/persons.js"),
    file!("js/panes/picker.js"),
    file!("js/panes/settings.js"),
    file!("js/panes/write.js"),
    file!("js/part.js"),
    file!("js/parts/announcer.js"),
    file!("js/parts/banner.js"),
    file!("js/parts/chat.js"),
    file!("js/parts/clock.js"),
    file!("js/parts/composer.js"),
    file!("js/parts/door.js"),
    file!("js/parts/message.js"),
    file!("js/parts/messages.js"),
    file!("js/parts/pane.js"),
    file!("js/parts/room-head.js"),
    file!("js/parts/room-list.js"),
    file!("js/parts/tools.js"),
    file!("js/parts/typing-line.js"),
    file!("js/rooms.js"),
    file!("js/route.js"),
    file!("js/session.js"),
    file!("js/store.js"),
    file!("js/talk.js"),
    file!("js/text.js"),
    file!("js/told.js"),
    file!("js/types.js"),
    file!("js/typing.js"),
    file!("js/when.js"),
    file!("js/wire.js"),
];

// Hashing the page takes a moment on a Pi Zero: done once, and only when somebody opens it.
static ETAGS: LazyLock<Vec<String>> = LazyLock::new(|| FILES.iter().map(|file| etag(file.bytes)).collect());

/// The file for a path of the address: `/` is the page itself, its parts lie under `/app/`.
pub fn asset(path: &str) -> Option<Asset> {
    let wanted = if path == "/" { "index.html" } else { path.strip_prefix("/app/")? };
    let at = FILES.binary_search_by(|file| file.path.cmp(wanted)).ok()?;
    let file = &FILES[at];
    Some(Asset { bytes: file.bytes, content_type: content_type(file.path), etag: &ETAGS[at] })
}

fn etag(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let half: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{half}\"")
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn on_disk(folder: &Path, under: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                on_disk(&path, under, found);
            } else {
                found.push(path.strip_prefix(under).unwrap().to_str().unwrap().to_owned());
            }
        }
    }

    #[test]
    fn the_table_holds_every_file_of_the_page_and_no_other() {
        let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/doors/http/web/app");
        let mut found = Vec::new();
        on_disk(&app, &app, &mut found);
        found.sort();
        let listed: Vec<_> = FILES.iter().map(|file| file.path).collect();
        assert_eq!(listed, found);
    }

    #[test]
    fn the_page_names_every_script_so_that_they_load_at_once() {
        let page = std::str::from_utf8(asset("/").unwrap().bytes).unwrap();
        for file in FILES.iter().filter(|file| file.path != "index.html" && file.path != "js/types.js") {
            assert!(
                page.contains(&format!("\"/app/{}\"", file.path)),
                "index.html does not name {}",
                file.path
            );
        }
    }

    #[test]
    fn paths_are_found_by_their_whole_name() {
        assert_eq!(asset("/").unwrap().content_type, "text/html; charset=utf-8");
        assert_eq!(asset("/app/js/main.js").unwrap().content_type, "text/javascript; charset=utf-8");
        for path in [
            "",
            "/app",
            "/app/",
            "/app/js",
            "/app/../mod.rs",
            "/js/main.js",
            "/index.html",
            "/app//js/main.js",
        ] {
            assert!(asset(path).is_none(), "{path} is no file of the page");
        }
    }

    #[test]
    fn an_etag_stands_for_the_content() {
        let (page, script) = (asset("/").unwrap(), asset("/app/js/main.js").unwrap());
        assert_ne!(page.etag, script.etag);
        assert_eq!(page.etag, asset("/app/index.html").unwrap().etag);
        assert!(page.etag.starts_with('"') && page.etag.ends_with('"') && page.etag.len() == 34);
    }
}
