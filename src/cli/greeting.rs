//! What `serve` prints when it is ready: for people on a terminal, and one line for programs. Data in, text out.

use super::table::bytes;
use qrcodegen::{QrCode, QrCodeEcc};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What the greeting tells.
#[derive(Debug, Clone)]
pub struct Greeting {
    /// From the start of the process until it served.
    pub ready_ms: u64,
    /// The data folder.
    pub data: PathBuf,
    /// Resident memory, when the kernel tells.
    pub memory_bytes: Option<u64>,
    /// Where people open it, the best first, as [`people_urls`](super::machine::people_urls) gives them; never empty.
    pub people: Vec<String>,
    /// Where they open it by HTTPS, the best first, and the certificate's SHA-256; none where it is off.
    pub secure: Option<(Vec<String>, String)>,
    /// `/#own-...` while there is no owner.
    pub owner_path: Option<String>,
    /// Whether to draw the owner's link: only on a terminal.
    pub qr: bool,
}

/// The line programs wait for; always on standard output.
pub fn ready_line(http: SocketAddr, https: Option<SocketAddr>, mqtt: Option<SocketAddr>, pid: u32) -> String {
    let https = https.map_or(String::new(), |address| format!(" https={address}"));
    let mqtt = mqtt.map_or("off".to_owned(), |address| address.to_string());
    format!("ready http={http}{https} mqtt={mqtt} pid={pid}\n")
}

/// The lines for people.
pub fn greeting(greeting: &Greeting) -> String {
    let best = greeting.people.first().map_or("", String::as_str);
    let seconds = greeting.ready_ms as f64 / 1_000.0;
    let memory = greeting.memory_bytes.map(|count| format!("   uses {}", bytes(count))).unwrap_or_default();
    let mut text = format!(
        "linnet {}  ready in {seconds:.1} s   data {}{memory}\n",
        env!("CARGO_PKG_VERSION"),
        greeting.data.display()
    );
    let mut line = |name: &str, what: &str| text.push_str(&format!("  {name:<9} {what}\n"));
    line("people", &greeting.people.join("   "));
    if let Some((urls, fingerprint)) = &greeting.secure {
        line("https", &urls.join("   "));
        line("", &format!("certificate SHA-256 {fingerprint}"));
    }
    match &greeting.owner_path {
        Some(path) => {
            let link = format!("{best}{path}");
            line("owner", &format!("open {link} to make yourself the owner"));
            line(
                "devices",
                &format!(
                    "curl -d \"hello from the shell\" {best}/general   (this machine only, until there is an owner)"
                ),
            );
            line("next", "linnet device add porch --room general");
            if greeting.qr {
                text.push_str(&qr(&link));
            }
        }
        None => {
            line(
                "devices",
                "linnet device add porch --room general   (prints a token and a line to post by)",
            );
            line("next", "linnet status");
        }
    }
    text
}

/// Modules left blank on each side: the standard asks for four, readers take two.
const QUIET: i32 = 2;

/// A QR code, two modules a character; colours are set, so that it reads on dark and light terminals alike.
fn qr(link: &str) -> String {
    let Ok(code) = QrCode::encode_text(link, QrCodeEcc::Low) else { return String::new() };
    let size = code.size();
    let mut text = String::new();
    for y in (-QUIET..size + QUIET).step_by(2) {
        text.push_str("  \x1b[30;107m");
        for x in -QUIET..size + QUIET {
            text.push(match (code.get_module(x, y), code.get_module(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        text.push_str("\x1b[0m\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> Greeting {
        Greeting {
            ready_ms: 180,
            data: PathBuf::from("./linnet-data"),
            memory_bytes: Some(5_900_000),
            people: vec!["http://192.168.1.42:3000".to_owned(), "http://linnet.local:3000".to_owned()],
            secure: None,
            owner_path: Some("/#own-4F7K-92QM-1A2B-3C4D".to_owned()),
            qr: false,
        }
    }

    #[test]
    fn a_fresh_node_says_how_to_own_it_and_what_to_paste() {
        let expected = "\
linnet 0.1.0  ready in 0.2 s   data ./linnet-data   uses 6 MB
  people    http://192.168.1.42:3000   http://linnet.local:3000
  owner     open http://192.168.1.42:3000/#own-4F7K-92QM-1A2B-3C4D to make yourself the owner
  devices   curl -d \"hello from the shell\" http://192.168.1.42:3000/general   (this machine only, until there is an owner)
  next      linnet device add porch --room general
";
        assert_eq!(greeting(&fresh()), expected);
    }

    #[test]
    fn an_owned_node_offers_no_link() {
        let owned = Greeting { owner_path: None, memory_bytes: None, qr: true, ..fresh() };
        let expected = "\
linnet 0.1.0  ready in 0.2 s   data ./linnet-data
  people    http://192.168.1.42:3000   http://linnet.local:3000
  devices   linnet device add porch --room general   (prints a token and a line to post by)
  next      linnet status
";
        assert_eq!(greeting(&owned), expected);
    }

    #[test]
    fn where_https_is_on_its_certificate_can_be_compared() {
        let secure = Some((vec!["https://192.168.1.42".to_owned()], "3A:77".to_owned()));
        let text = greeting(&Greeting { secure, ..fresh() });
        let expected = "  https     https://192.168.1.42\n            certificate SHA-256 3A:77\n  owner ";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn the_drawn_code_has_the_modules_of_the_link() {
        let text = greeting(&Greeting { qr: true, ..fresh() });
        let link = "http://192.168.1.42:3000/#own-4F7K-92QM-1A2B-3C4D";
        let code = QrCode::encode_text(link, QrCodeEcc::Low).expect("short");
        let drawn: Vec<Vec<char>> = text
            .lines()
            .filter_map(|line| line.strip_prefix("  \x1b[30;107m")?.strip_suffix("\x1b[0m"))
            .map(|line| line.chars().collect())
            .collect();
        assert!(drawn.iter().all(|line| line.len() as i32 == code.size() + 2 * QUIET));
        for y in 0..code.size() {
            for x in 0..code.size() {
                let character = drawn[((y + QUIET) / 2) as usize][(x + QUIET) as usize];
                let dark = if (y + QUIET) % 2 == 0 { "█▀" } else { "█▄" }.contains(character);
                assert_eq!(dark, code.get_module(x, y), "{x},{y}");
            }
        }
    }

    #[test]
    fn programs_get_one_line() {
        let http = "127.0.0.1:3000".parse().expect("an address");
        assert_eq!(ready_line(http, None, None, 7), "ready http=127.0.0.1:3000 mqtt=off pid=7\n");
        assert_eq!(
            ready_line(http, Some(http), Some(http), 7),
            "ready http=127.0.0.1:3000 https=127.0.0.1:3000 mqtt=127.0.0.1:3000 pid=7\n"
        );
    }
}
