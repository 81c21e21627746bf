//! Addresses in a text: of pages, of mail, of telephones.

/// What runs where it is drawn, or brings its own page.
const UNSAFE_SCHEMES: [&str; 4] = ["javascript", "data", "vbscript", "file"];
/// Last parts of names that are taken for addresses without a scheme before them.
const DOMAINS: &[&str] = &[
    "app", "at", "au", "be", "br", "ca", "ch", "chat", "cn", "com", "cz", "de", "dev", "dk", "edu", "es",
    "eu", "fi", "fr", "gov", "in", "info", "io", "it", "jp", "me", "net", "nl", "no", "nz", "org", "pl",
    "pt", "ru", "se", "tv", "uk", "us", "world", "xyz",
];
/// What is longer is no address that anybody follows, and is looked through no further.
pub const ADDRESS_BYTES_MAX: usize = 2_048;
/// Telephone numbers have at least so many digits.
const PHONE_DIGITS_MIN: usize = 5;

/// An address that a text begins with.
pub struct Address {
    /// Where it leads to.
    pub src: String,
    /// How it is written: the bytes it takes of the text, and what is shown.
    pub taken: usize,
    pub shown: String,
}

/// The part of a text up to the next blank, without the marks that end a sentence behind it; none of a longer one.
fn word(text: &str) -> &str {
    let mut within = text.len().min(ADDRESS_BYTES_MAX);
    while !text.is_char_boundary(within) {
        within -= 1;
    }
    let text = &text[..within];
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '`')).unwrap_or(text.len());
    let mut word = &text[..end];
    loop {
        let Some(last) = word.chars().next_back() else { return word };
        let closes = last == ')' && word.matches(')').count() > word.matches('(').count();
        if !closes && !".,!%*\"':;=|]~_".contains(last) {
            return word;
        }
        word = &word[..word.len() - last.len_utf8()];
    }
}

fn is_label_char(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}

/// Whether this can name a host: labels with dots between them.
fn is_host(host: &str) -> bool {
    !host.is_empty() && host.split('.').all(|label| !label.is_empty() && label.chars().all(is_label_char))
}

fn is_ipv4(host: &str) -> bool {
    host.parse::<std::net::Ipv4Addr>().is_ok()
}

/// Whether this is known to name a host though no scheme stands before it.
fn is_known_host(host: &str) -> bool {
    let last = host.rsplit_once('.').map(|(_, last)| last.to_ascii_lowercase());
    is_ipv4(host) || (is_host(host) && last.is_some_and(|last| DOMAINS.contains(&last.as_str())))
}

/// The host of what follows `//`, or of an address without a scheme.
fn host_of(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let port = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    port.map_or(authority, |(host, _)| host)
}

/// Where a page's address leads to: with a scheme as it is, without one behind `//`.
fn page(word: &str) -> Option<String> {
    match word.split_once("://") {
        Some((scheme, rest)) => {
            let is_scheme = (1..=32).contains(&scheme.len())
                && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-'));
            let safe = !UNSAFE_SCHEMES.contains(&scheme.to_ascii_lowercase().as_str());
            let host = host_of(rest);
            (is_scheme && safe && is_host(host)).then(|| word.to_owned())
        }
        None => is_known_host(host_of(word)).then(|| format!("//{word}")),
    }
}

/// Where a mail's address leads to.
fn mail(word: &str) -> Option<String> {
    let (local, host) = word.split_once('@')?;
    let is_local = |c: char| c.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    let good = !local.is_empty() && local.chars().all(is_local) && is_host(host) && is_known_host(host);
    good.then(|| format!("mailto:{word}"))
}

/// The digits of a telephone number: `+49-123`, `+(49)123`.
fn phone(text: &str) -> Option<(String, usize)> {
    let rest = text.strip_prefix('+')?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && !"-()".contains(c)).unwrap_or(rest.len());
    let number = &rest[..end];
    let is_plain = number.matches('-').count() <= 1 && !number.ends_with('-');
    let brackets = match number.strip_prefix('(') {
        Some(rest) => rest.matches(')').count() == 1 && !rest.contains('('),
        None => !number.contains(['(', ')']),
    };
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let good = is_plain && brackets && digits.len() >= PHONE_DIGITS_MIN;
    good.then(|| (format!("tel:{digits}"), end + 1))
}

/// The address that a text begins with. That it begins a word is the caller's to see.
pub fn at(text: &str) -> Option<Address> {
    if let Some((src, taken)) = phone(text) {
        return Some(Address { src, taken, shown: text[..taken].to_owned() });
    }
    let word = word(text);
    let written = word.strip_prefix("mailto:").unwrap_or(word);
    if let Some(src) = mail(written) {
        return Some(Address { src, taken: word.len(), shown: written.to_owned() });
    }
    let src = page(word)?;
    Some(Address { src, taken: word.len(), shown: word.to_owned() })
}

/// Where something in the brackets of `[words](...)` leads to, which may be a name without a scheme.
pub fn target(written: &str) -> Option<String> {
    if let Some((src, taken)) = phone(written) {
        return (taken == written.len()).then_some(src);
    }
    if written.contains(char::is_whitespace) {
        return None;
    }
    match written.split_once(':') {
        Some((scheme, rest)) if rest.starts_with("//") || !scheme.contains(['.', '/']) => {
            let is_scheme = !scheme.is_empty()
                && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-'));
            let safe = !UNSAFE_SCHEMES.contains(&scheme.to_ascii_lowercase().as_str());
            let leads = rest.strip_prefix("//").map_or(!rest.is_empty(), |rest| is_host(host_of(rest)));
            (is_scheme && safe && leads).then(|| written.to_owned())
        }
        _ => {
            let host = host_of(written);
            (is_ipv4(host) || host == "localhost" || (is_host(host) && host.contains('.')))
                .then(|| written.to_owned())
        }
    }
}
