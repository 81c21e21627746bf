//! The rows of all families, joined once, and how a path finds its row.

use crate::doors::http::call::{Call, Params};
use crate::doors::http::query;
use crate::doors::http::reply::{Problem, Reply};
use hyper::Method;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

/// What a row's function gives back.
pub type Answering = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send>>;
/// A row's function.
pub type Handler = fn(Call) -> Answering;

/// Who may call a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Anybody. `call.caller` is there when a good token was shown.
    Open,
    /// Whoever shows a good token; others get 401 before their body is read.
    LoggedIn,
}

/// Which bucket a call takes a token from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RateClass {
    /// Looking something up.
    Reading,
    /// Saying or changing something.
    Posting,
    /// Trying a password or a code.
    Entering,
}

/// One row: what is called, by whom, with how much, how often, and what answers.
pub struct Route {
    /// The method.
    pub method: Method,
    /// Segments of text, `:name` for any one segment, `*name` at the end for all that follow.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Bytes its body may have.
    pub body_max: usize,
    /// Whether the body is left to its function, as one that is larger than the memory.
    pub flows: bool,
    /// Which bucket it takes from.
    pub rate: RateClass,
    /// What answers.
    pub run: Handler,
}

/// A row of a family's table: `route!(POST "/api/v1/chat.react", LoggedIn, BODY_BYTES_MAX, Posting, react)`.
macro_rules! route {
    ($method:ident $path:literal, $access:ident, flows $body_max:expr, $rate:ident, $run:path) => {
        $crate::doors::http::route::Route {
            flows: true,
            ..$crate::doors::http::route::route!($method $path, $access, $body_max, $rate, $run)
        }
    };
    ($method:ident $path:literal, $access:ident, $body_max:expr, $rate:ident, $run:path) => {
        $crate::doors::http::route::Route {
            method: hyper::Method::$method,
            path: $path,
            access: $crate::doors::http::route::Access::$access,
            body_max: $body_max,
            flows: false,
            rate: $crate::doors::http::route::RateClass::$rate,
            run: |call| Box::pin($run(call)),
        }
    };
}
pub(crate) use route;

/// What a path leads to.
pub enum Found {
    /// The row and what its `:names` stand for.
    Row(&'static Route, Params),
    /// The path exists, but not with this method; these exist.
    OtherMethods(Vec<&'static str>),
    /// No such path.
    Nothing,
    /// A segment is not percent-encoded UTF-8.
    Malformed,
}

/// All rows.
pub struct Routes {
    fixed: HashMap<&'static str, Vec<&'static Route>>,
    /// Those with names in them; the ones that are fixed longest from their start first.
    named: Vec<&'static Route>,
}

impl Routes {
    /// Joins the tables of all families. Two rows for one method and path are a bug.
    pub fn join(families: &[&'static [Route]]) -> Routes {
        let mut routes = Routes { fixed: HashMap::new(), named: Vec::new() };
        for route in families.iter().flat_map(|rows| rows.iter()) {
            if route.path.contains([':', '*']) {
                routes.named.push(route);
                continue;
            }
            let rows = routes.fixed.entry(route.path).or_default();
            debug_assert!(rows.iter().all(|row| row.method != route.method), "{} twice", route.path);
            rows.push(route);
        }
        routes.named.sort_by_key(|route| {
            // The longer a path is fixed from its start, the more exact it is.
            let first = route.path.split('/').position(|part| part.starts_with([':', '*']));
            (std::cmp::Reverse(first), route.path.contains('*'))
        });
        routes
    }

    /// The row for a method and a raw path. HEAD is answered by the row of GET.
    pub fn find(&self, method: &Method, path: &str) -> Found {
        let wanted = if *method == Method::HEAD { &Method::GET } else { method };
        let mut others = Vec::new();
        for route in self.fixed.get(path).into_iter().flatten() {
            if route.method == *wanted {
                return Found::Row(route, Params::default());
            }
            others.push(route.method.as_str());
        }
        if !others.is_empty() {
            return Found::OtherMethods(others);
        }
        for route in &self.named {
            let Some(raw) = matched(route.path, path) else { continue };
            if route.method != *wanted {
                others.push(route.method.as_str());
                continue;
            }
            let decoded: Option<Vec<_>> =
                raw.into_iter().map(|(name, raw)| Some((name, query::decode_segment(raw)?))).collect();
            return decoded.map_or(Found::Malformed, |params| Found::Row(route, Params(params)));
        }
        if others.is_empty() { Found::Nothing } else { Found::OtherMethods(others) }
    }
}

/// What the names of a pattern stand for in a path, if it fits.
fn matched<'a>(pattern: &'static str, path: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
    let mut found = Vec::new();
    let mut rest = path.strip_prefix('/')?;
    let mut parts = pattern.strip_prefix('/')?.split('/').peekable();
    while let Some(part) = parts.next() {
        if let Some(name) = part.strip_prefix('*') {
            found.push((name, rest));
            return Some(found);
        }
        let (segment, after) = rest.split_once('/').map_or((rest, None), |(head, tail)| (head, Some(tail)));
        match part.strip_prefix(':') {
            Some(name) if !segment.is_empty() => found.push((name, segment)),
            None if part == segment => {}
            Some(_) | None => return None,
        }
        match (parts.peek(), after) {
            (None, None) => return Some(found),
            (Some(_), Some(after)) => rest = after,
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn none(_: Call) -> Result<Reply, Problem> {
        Err(Problem::error("these rows are only looked for"))
    }

    const ROWS: &[Route] = &[
        route!(POST "/:room", Open, 0, Posting, none),
        route!(GET "/:room/json", Open, 0, Reading, none),
        route!(GET "/app/*file", Open, 0, Reading, none),
        route!(GET "/avatar/:name", Open, 0, Reading, none),
        route!(GET "/avatar/room/:name", Open, 0, Reading, none),
        route!(GET "/health", Open, 0, Reading, none),
        route!(GET "/", Open, 0, Reading, none),
    ];

    #[track_caller]
    fn check(method: Method, path: &str, row: &str, params: &[(&'static str, &str)]) {
        let Found::Row(found, named) = Routes::join(&[ROWS]).find(&method, path) else {
            panic!("{path} leads nowhere");
        };
        assert_eq!(found.path, row, "{path}");
        for (name, value) in params {
            assert_eq!(named.get(name), *value, "{path}");
        }
    }

    #[test]
    fn a_path_finds_its_most_exact_row() {
        check(Method::GET, "/health", "/health", &[]);
        check(Method::HEAD, "/", "/", &[]);
        check(Method::POST, "/garden", "/:room", &[("room", "garden")]);
        check(Method::POST, "/gar%2Fden%00", "/:room", &[("room", "gar/den\0")]);
        check(Method::GET, "/avatar/room/x", "/avatar/room/:name", &[("name", "x")]);
        check(Method::GET, "/avatar/json", "/avatar/:name", &[("name", "json")]);
        check(Method::GET, "/app/js/a.js", "/app/*file", &[("file", "js/a.js")]);
        check(Method::GET, "/app/json", "/app/*file", &[("file", "json")]);
        check(Method::GET, "/garden/json", "/:room/json", &[("room", "garden")]);
    }

    #[test]
    fn what_no_row_fits_is_told_apart() {
        let routes = Routes::join(&[ROWS]);
        for path in ["", "x", "/garden/", "/garden/json/", "//json", "/a/b/c", "*"] {
            assert!(matches!(routes.find(&Method::GET, path), Found::Nothing), "{path}");
        }
        assert!(
            matches!(routes.find(&Method::POST, "/health"), Found::OtherMethods(methods) if methods == ["GET"])
        );
        assert!(
            matches!(routes.find(&Method::GET, "/garden"), Found::OtherMethods(methods) if methods == ["POST"])
        );
        assert!(matches!(routes.find(&Method::POST, "/%ff"), Found::Malformed));
    }
}
