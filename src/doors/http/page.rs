//! What a browser asks for by itself: the page and its files, and pictures of people.

use crate::base::limits::{BODY_BYTES_MAX, LINE_CHARS_MAX};
use crate::chat::name::clip;
use crate::doors::http::route::route;
use crate::doors::http::web::{CONTENT_SECURITY_POLICY, asset};
use crate::doors::http::{Call, Problem, Reply, Route};
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY as CSP, ETAG, IF_NONE_MATCH};

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(GET "/", Open, BODY_BYTES_MAX, Reading, page),
    route!(GET "/app/*file", Open, BODY_BYTES_MAX, Reading, file),
    route!(GET "/favicon.ico", Open, BODY_BYTES_MAX, Reading, icon),
    route!(GET "/avatar/:name", Open, BODY_BYTES_MAX, Reading, avatar),
    route!(GET "/avatar/room/:name", Open, BODY_BYTES_MAX, Reading, avatar),
];

/// Nothing at all: for a picture that is opened by itself.
const NOTHING_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

async fn page(call: Call) -> Result<Reply, Problem> {
    sent(&call, "/")
}

async fn file(call: Call) -> Result<Reply, Problem> {
    sent(&call, &format!("/app/{}", call.params.get("file")))
}

async fn icon(call: Call) -> Result<Reply, Problem> {
    sent(&call, "/app/icon.svg")
}

fn sent(call: &Call, path: &str) -> Result<Reply, Problem> {
    let asset = asset(path).ok_or_else(|| Problem::status(StatusCode::NOT_FOUND, "Resource not found"))?;
    let known =
        call.header(IF_NONE_MATCH).is_some_and(|known| known.split(',').any(|tag| tag.trim() == asset.etag));
    let reply = if known {
        Reply::empty(StatusCode::NOT_MODIFIED)
    } else {
        Reply::bytes(asset.content_type, bytes::Bytes::from_static(asset.bytes))
    };
    // Asked for again each time, answered with 304: an update of the node shows at once.
    Ok(reply.with(CACHE_CONTROL, "no-cache").with(ETAG, asset.etag).with(CSP, CONTENT_SECURITY_POLICY))
}

async fn avatar(call: Call) -> Result<Reply, Problem> {
    let name = clip(call.params.get("name").trim_start_matches('@'), LINE_CHARS_MAX);
    let reply = Reply::bytes("image/svg+xml", initials(&name));
    Ok(reply.with(CACHE_CONTROL, "public, max-age=86400").with(CSP, NOTHING_POLICY))
}

/// A square with up to two letters of a name; the same name has the same colour everywhere.
fn initials(name: &str) -> String {
    let hue = name.bytes().fold(7u32, |hue, byte| (hue * 31 + u32::from(byte)) % 360);
    let words =
        name.split(['.', '-', '_', ' ']).filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let letters: String = words.take(2).flat_map(char::to_uppercase).collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 200 200\" width=\"200\" height=\"200\">\
         <rect width=\"200\" height=\"200\" fill=\"hsl({hue},45%,40%)\"/>\
         <text x=\"100\" y=\"100\" fill=\"#fff\" font-family=\"sans-serif\" font-size=\"90\" \
         text-anchor=\"middle\" dominant-baseline=\"central\">{letters}</text></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_put_anything_but_letters_into_its_picture() {
        assert!(initials("anna.lisa").contains(">AL<"));
        assert!(initials("ölaf").contains(">Ö<"));
        let hostile = initials("<script>-\"&.x");
        assert!(hostile.contains(">SX<") && !hostile.contains("script"), "{hostile}");
    }
}
