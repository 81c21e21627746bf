//! How DDP messages lie in the frames of a WebSocket. No socket here.

use crate::base::limits::{DDP_MESSAGE_BYTES_MAX, DDP_MESSAGES_WAITING_MAX};
use crate::doors::reach::frame::{Goodbye, put_close, put_text};

/// How DDP messages lie in frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// One message a frame.
    Raw,
    /// As SockJS wraps them: `a["<message>"]`.
    SockJs,
}

impl Framing {
    /// The DDP messages in a text; `None` when it does not hold any in this framing.
    pub fn messages(self, text: String) -> Option<Vec<String>> {
        match self {
            Framing::Raw => Some(vec![text]),
            Framing::SockJs if text.is_empty() => Some(Vec::new()),
            Framing::SockJs if text.starts_with('[') => {
                let messages: Vec<String> = serde_json::from_str(&text).ok()?;
                (messages.len() <= DDP_MESSAGES_WAITING_MAX).then_some(messages)
            }
            Framing::SockJs => serde_json::from_str(&text).ok().map(|message| vec![message]),
        }
    }

    /// Appends a frame with one DDP message.
    pub fn put(self, out: &mut Vec<u8>, message: &[u8]) {
        match self {
            Framing::Raw => put_text(out, message),
            Framing::SockJs => {
                let message = std::str::from_utf8(message).expect("DDP messages are JSON");
                let quoted = serde_json::to_string(message).expect("a text is valid JSON");
                put_text(out, format!("a[{quoted}]").as_bytes());
            }
        }
    }

    /// Appends what SockJS says before anything else.
    pub fn put_opening(self, out: &mut Vec<u8>) {
        if self == Framing::SockJs {
            put_text(out, b"o");
        }
    }

    /// Appends what ends the connection.
    pub fn put_goodbye(self, out: &mut Vec<u8>, goodbye: Goodbye) {
        if self == Framing::SockJs {
            let code = if goodbye == Goodbye::DONE { 3000 } else { goodbye.code };
            put_text(out, format!("c[{code},\"{}\"]", goodbye.reason).as_bytes());
        }
        put_close(out, goodbye);
    }
}

const _: () = assert!(DDP_MESSAGE_BYTES_MAX < u32::MAX as usize, "lengths fit the smallest usize");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockjs_wraps_and_unwraps_messages() {
        let mut out = Vec::new();
        Framing::SockJs.put(&mut out, br#"{"msg":"a\"b"}"#);
        let text = r#"a["{\"msg\":\"a\\\"b\"}"]"#;
        assert_eq!(out, [&[0x81, text.len() as u8], text.as_bytes()].concat());
        let messages = |text: &str| Framing::SockJs.messages(text.into());
        assert_eq!(messages(r#"["{}","[]"]"#), Some(vec!["{}".into(), "[]".into()]));
        assert_eq!(messages(r#""{}""#), Some(vec!["{}".into()]));
        assert_eq!(messages(""), Some(vec![]));
        assert_eq!(messages("{}"), None);
        assert_eq!(messages(&format!("[{}\"\"]", "\"\",".repeat(DDP_MESSAGES_WAITING_MAX))), None);
    }
}
