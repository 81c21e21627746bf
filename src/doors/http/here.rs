//! Whether a request comes from this very machine, for the few things that need no other proof there.

use crate::doors::http::Call;
use std::net::IpAddr;

/// Whether nobody but a program on this very machine can have sent this: both ends are this machine, and no browser and
/// no proxy has had a hand in it.
pub fn is_from_this_machine(call: &Call) -> bool {
    const TOLD_BY_OTHERS: [&str; 5] = ["origin", "referer", "forwarded", "via", "x-real-ip"];
    let told_by_others = call.headers.keys().any(|name| {
        let name = name.as_str();
        TOLD_BY_OTHERS.contains(&name) || name.starts_with("sec-fetch-") || name.starts_with("x-forwarded-")
    });
    is_one_machine(call.peer.ip(), call.local.ip()) && !told_by_others
}

fn is_one_machine(peer: IpAddr, local: IpAddr) -> bool {
    let (peer, local) = (peer.to_canonical(), local.to_canonical());
    peer == local || peer.is_loopback() && local.is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_this_machine() {
        for (peer, local, is_one) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.53", true),
            ("::1", "::1", true),
            ("::ffff:127.0.0.1", "127.0.0.1", true),
            ("192.168.1.42", "192.168.1.42", true),
            ("::ffff:192.168.1.42", "192.168.1.42", true),
            ("192.168.1.7", "192.168.1.42", false),
            ("127.0.0.1", "192.168.1.42", false),
            ("192.168.1.7", "127.0.0.1", false),
            ("fe80::1", "fe80::2", false),
        ] {
            let ip = |text: &str| text.parse().expect(text);
            assert_eq!(is_one_machine(ip(peer), ip(local)), is_one, "{peer} {local}");
        }
    }
}
