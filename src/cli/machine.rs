//! What this machine says of itself to people: its addresses, its name, our memory.

use crate::base::budget::Budget;
use crate::base::limits::{FILES_KEPT, MACHINE_ADDRESSES_MAX, SOCKETS_MIN};
use crate::doors::http::metrics::Process;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;

/// The machine's own addresses, the one others most likely reach first; without loopback.
pub fn addresses() -> Vec<IpAddr> {
    let table = std::fs::read_to_string("/proc/net/fib_trie").unwrap_or_default();
    let mut found: Vec<IpAddr> = outward().into_iter().collect();
    for address in local_addresses(&table) {
        let address = IpAddr::V4(address);
        if !found.contains(&address) && found.len() < MACHINE_ADDRESSES_MAX {
            found.push(address);
        }
    }
    found
}

/// The machine's name, as it was given.
pub fn host_name() -> Option<String> {
    let name = rustix::system::uname().nodename().to_str().ok()?.to_owned();
    (!name.is_empty() && name != "(none)" && name != "localhost").then_some(name)
}

/// The name by which others find this machine: with `.local` when something here answers for such names.
pub fn reachable_name() -> Option<String> {
    let name = host_name()?;
    let is_announced = Path::new("/run/avahi-daemon/socket").exists() && !name.contains('.');
    Some(if is_announced { format!("{name}.local") } else { name })
}

/// Resident memory of this process.
pub fn memory_bytes() -> Option<u64> {
    resident(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// Sockets that clients may hold, so that the store never wants for an open file. Asks the system for as many open
/// files as all clients together could need, and makes do with what it gives.
pub fn sockets_max(budget: &Budget) -> usize {
    let wanted = (budget.connections + budget.sessions) as u64;
    let limit = getrlimit(Resource::Nofile);
    let asked = limit.maximum.unwrap_or(u64::MAX).min(wanted + FILES_KEPT);
    let granted = match limit.current {
        Some(current) if current < asked => {
            let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(asked), maximum: limit.maximum });
            if raised.is_ok() { asked } else { current }
        }
        current => current.unwrap_or(u64::MAX),
    };
    granted.saturating_sub(FILES_KEPT).clamp(SOCKETS_MIN, wanted) as usize
}

/// What the operating system says of this process.
pub fn process() -> Process {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    Process { memory_bytes: memory_bytes(), written_bytes: written(&io) }
}

/// Bytes this process caused to be sent to a disk, by the kernel's own count.
fn written(io: &str) -> Option<u64> {
    io.lines().find_map(|line| line.strip_prefix("write_bytes:")?.trim().parse().ok())
}

/// Where people open the node: addresses and name, the best first. `bound` is where it really listens.
pub fn people_urls(bound: SocketAddr) -> Vec<String> {
    urls(("http", 80), bound, &addresses(), reachable_name().as_deref())
}

/// The same by HTTPS.
pub fn secure_urls(bound: SocketAddr) -> Vec<String> {
    urls(("https", 443), bound, &addresses(), reachable_name().as_deref())
}

/// The address a running node gave, or what the settings make likely.
pub(super) fn url_or_own(given: Option<&str>, bound: SocketAddr) -> String {
    given.map_or_else(|| people_urls(bound).swap_remove(0), str::to_owned)
}

/// The host others reach this machine by, where something listens at this address.
pub(super) fn reach(bound: SocketAddr) -> IpAddr {
    match bound.ip().is_unspecified() {
        true => addresses().first().copied().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        false => bound.ip(),
    }
}

fn urls(
    (scheme, usual): (&str, u16),
    bound: SocketAddr,
    addresses: &[IpAddr],
    name: Option<&str>,
) -> Vec<String> {
    let port = if bound.port() == usual { String::new() } else { format!(":{}", bound.port()) };
    let url = |host: &dyn std::fmt::Display| format!("{scheme}://{host}{port}");
    let of_address = |address: &IpAddr| match address {
        IpAddr::V4(address) => url(address),
        IpAddr::V6(address) => url(&format_args!("[{address}]")),
    };
    if bound.ip().is_loopback() {
        return vec![of_address(&bound.ip()), url(&"localhost")];
    }
    // Two are enough to read: the machine's main address and one more network, such as its own Wi-Fi.
    let mut found: Vec<String> = match bound.ip().is_unspecified() {
        true => addresses.iter().take(2).map(of_address).collect(),
        false => vec![of_address(&bound.ip())],
    };
    if found.is_empty() {
        found.push(url(&Ipv4Addr::LOCALHOST));
    }
    found.extend(name.map(|name| url(&name)));
    found
}

/// The address packets to elsewhere leave from. Connecting a datagram socket sends nothing.
fn outward() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // An address reserved for documentation: nobody is there, but the route is the default one.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// Addresses the kernel's routing table marks as local: a line with the address, then one with `/32 host LOCAL`.
fn local_addresses(table: &str) -> Vec<Ipv4Addr> {
    let mut found = Vec::new();
    let mut last = None;
    for line in table.lines() {
        if let Some(address) = line.trim_start().strip_prefix("|-- ") {
            last = address.trim().parse::<Ipv4Addr>().ok();
        } else if line.trim() == "/32 host LOCAL" {
            let fresh = last.filter(|address| !address.is_loopback() && !found.contains(address));
            found.extend(fresh);
        }
    }
    found
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.1
              /32 host LOCAL
     +-- 192.168.1.0/24 2 0 2
           |-- 192.168.1.0
              /24 link UNICAST
           |-- 192.168.1.42
              /32 host LOCAL
           |-- 192.168.1.255
              /32 link BROADCAST
Local:
           |-- 192.168.1.42
              /32 host LOCAL
           |-- 10.3.141.1
              /32 host LOCAL
";

    #[test]
    fn the_kernels_table_gives_the_own_addresses_once() {
        let own = [Ipv4Addr::new(192, 168, 1, 42), Ipv4Addr::new(10, 3, 141, 1)];
        assert_eq!(local_addresses(TABLE), own);
        assert!(local_addresses("").is_empty());
    }

    #[test]
    fn people_are_shown_addresses_and_the_name() {
        let own: Vec<IpAddr> = local_addresses(TABLE).into_iter().map(IpAddr::V4).collect();
        let check = |bound: &str, own: &[IpAddr], expected: &[&str]| {
            assert_eq!(
                urls(("http", 80), bound.parse().expect(bound), own, Some("linnet.local")),
                expected,
                "{bound}"
            );
        };
        let name = "http://linnet.local:3000";
        check("0.0.0.0:3000", &own, &["http://192.168.1.42:3000", "http://10.3.141.1:3000", name]);
        check("[::]:80", &own[..1], &["http://192.168.1.42", "http://linnet.local"]);
        check("0.0.0.0:3000", &[], &["http://127.0.0.1:3000", name]);
        check("127.0.0.1:3000", &own, &["http://127.0.0.1:3000", "http://localhost:3000"]);
        check("[fd00::1]:3000", &own, &["http://[fd00::1]:3000", name]);
    }

    #[test]
    fn memory_is_read_from_the_kernels_words() {
        assert_eq!(resident("Name:\tlinnet\nVmRSS:\t    6144 kB\nThreads:\t3\n"), Some(6_291_456));
        assert_eq!(resident("Name:\tx\n"), None);
        assert!(memory_bytes().is_some_and(|bytes| bytes > 100_000));
    }
}
