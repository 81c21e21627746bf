//! Where events go: standard error, a line each. A service manager adds the time.

use std::fmt::{self, Debug, Write as _};
use std::io::{IsTerminal, Write as _};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Starts writing events of this level and above.
pub fn start(level: Level) {
    // A second start in one process keeps the first writer, which is as good.
    let _ =
        tracing::subscriber::set_global_default(Lines { level, colours: std::io::stderr().is_terminal() });
}

/// Writes a line for each event. Spans are not shown: the node enters none.
struct Lines {
    level: Level,
    colours: bool,
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(self.level.into())
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let line = line(event, self.colours);
        // Nobody is left to tell when standard error is gone.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// An event as a line: its level, its words, then its fields.
fn line(event: &Event<'_>, colours: bool) -> String {
    let mut fields = Fields { words: Escaped(String::new()), rest: Escaped(String::new()) };
    event.record(&mut fields);
    let level = event.metadata().level();
    let colour = match *level {
        Level::ERROR => "31",
        Level::WARN => "33",
        Level::INFO => "32",
        Level::DEBUG => "34",
        Level::TRACE => "35",
    };
    let (Escaped(words), Escaped(rest)) = (fields.words, fields.rest);
    if colours {
        format!("\x1b[{colour}m{level:>5}\x1b[0m {words}{rest}\n")
    } else {
        format!("{level:>5} {words}{rest}\n")
    }
}

struct Fields {
    words: Escaped,
    rest: Escaped,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a text cannot fail; a value that cannot be shown is left out.
        let _ = match field.name() {
            "message" => write!(self.words, "{value:?}"),
            name => write!(self.rest, " {name}={value:?}"),
        };
    }
}

/// A text in which what steers a terminal is spelled out: much of what is logged was sent by strangers.
struct Escaped(String);

impl fmt::Write for Escaped {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for sign in text.chars() {
            match sign {
                '\n' | '\t' => self.0.push(sign),
                sign if sign.is_control() => self.0.extend(sign.escape_default()),
                sign => self.0.push(sign),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Keeps the lines instead of writing them.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<String>>>);

    impl Subscriber for Kept {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            Lines { level: Level::INFO, colours: false }.enabled(metadata)
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            self.0.lock().expect("nobody panics").push(line(event, false));
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn an_event_is_a_line_and_what_strangers_sent_steers_no_terminal() {
        let kept = Kept::default();
        tracing::subscriber::with_default(kept.clone(), || {
            let client = "por\x1b[2Jch\u{9b}";
            tracing::warn!(%client, missed = 3, "a session of {} was too far behind", "topics");
            tracing::error!(name = "bob", "{client} fails");
            tracing::debug!("nobody hears this");
        });
        let lines = kept.0.lock().expect("nobody panics");
        let first = " WARN a session of topics was too far behind client=por\\u{1b}[2Jch\\u{9b} missed=3\n";
        assert_eq!(*lines, [first, "ERROR por\\u{1b}[2Jch\\u{9b} fails name=\"bob\"\n"]);
    }
}
