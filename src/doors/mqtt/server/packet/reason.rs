//! Reason codes, and what is wrong with a packet.

use super::Version;
use std::fmt;

/// A reason code of MQTT 5.0, section 2.4; what older versions say instead follows from it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reason(pub u8);

macro_rules! reasons {
    ($($name:ident = $code:literal, $words:literal;)*) => {
        impl Reason {
            $(
                #[doc = concat!("The reason \"", $words, "\".")]
                pub const $name: Reason = Reason($code);
            )*

            /// The specification's name of it.
            pub fn name(self) -> &'static str {
                match self.0 {
                    $($code => $words,)*
                    _ => "an unknown reason",
                }
            }
        }
    };
}

reasons! {
    SUCCESS = 0x00, "success";
    GRANTED_LEAST = 0x01, "granted QoS 1";
    GRANTED_EXACTLY = 0x02, "granted QoS 2";
    WITH_WILL = 0x04, "disconnect with will message";
    NO_MATCHING_SUBSCRIBERS = 0x10, "no matching subscribers";
    NO_SUBSCRIPTION_EXISTED = 0x11, "no subscription existed";
    CONTINUE_AUTHENTICATION = 0x18, "continue authentication";
    REAUTHENTICATE = 0x19, "re-authenticate";
    UNSPECIFIED = 0x80, "unspecified error";
    MALFORMED = 0x81, "malformed packet";
    PROTOCOL_ERROR = 0x82, "protocol error";
    IMPLEMENTATION_SPECIFIC = 0x83, "implementation specific error";
    VERSION_UNSUPPORTED = 0x84, "unsupported protocol version";
    CLIENT_ID_INVALID = 0x85, "client identifier not valid";
    LOGIN_WRONG = 0x86, "bad user name or password";
    NOT_AUTHORIZED = 0x87, "not authorized";
    SERVER_UNAVAILABLE = 0x88, "server unavailable";
    SERVER_BUSY = 0x89, "server busy";
    BANNED = 0x8A, "banned";
    SHUTTING_DOWN = 0x8B, "server shutting down";
    AUTHENTICATION_METHOD = 0x8C, "bad authentication method";
    KEEP_ALIVE_TIMEOUT = 0x8D, "keep alive timeout";
    TAKEN_OVER = 0x8E, "session taken over";
    FILTER_INVALID = 0x8F, "topic filter invalid";
    TOPIC_INVALID = 0x90, "topic name invalid";
    PACKET_ID_IN_USE = 0x91, "packet identifier in use";
    PACKET_ID_NOT_FOUND = 0x92, "packet identifier not found";
    RECEIVE_MAXIMUM_EXCEEDED = 0x93, "receive maximum exceeded";
    ALIAS_INVALID = 0x94, "topic alias invalid";
    PACKET_TOO_LARGE = 0x95, "packet too large";
    RATE_TOO_HIGH = 0x96, "message rate too high";
    QUOTA_EXCEEDED = 0x97, "quota exceeded";
    ADMINISTRATIVE = 0x98, "administrative action";
    PAYLOAD_FORMAT_INVALID = 0x99, "payload format invalid";
    RETAIN_UNSUPPORTED = 0x9A, "retain not supported";
    QOS_UNSUPPORTED = 0x9B, "QoS not supported";
    USE_ANOTHER_SERVER = 0x9C, "use another server";
    SERVER_MOVED = 0x9D, "server moved";
    SHARED_UNSUPPORTED = 0x9E, "shared subscriptions not supported";
    CONNECTION_RATE_EXCEEDED = 0x9F, "connection rate exceeded";
    CONNECT_TIME_EXCEEDED = 0xA0, "maximum connect time";
    IDENTIFIERS_UNSUPPORTED = 0xA1, "subscription identifiers not supported";
    WILDCARDS_UNSUPPORTED = 0xA2, "wildcard subscriptions not supported";
}

impl Reason {
    /// Whether it says that something failed.
    pub fn is_failure(self) -> bool {
        self.0 >= 0x80
    }

    /// The return code of CONNACK that says the same to this version.
    pub(super) fn connect_code(self, version: Version) -> u8 {
        match self {
            _ if version == Version::V5 => self.0,
            Reason::SUCCESS => 0,
            Reason::VERSION_UNSUPPORTED => 1,
            Reason::CLIENT_ID_INVALID => 2,
            Reason::LOGIN_WRONG => 4,
            Reason::NOT_AUTHORIZED | Reason::BANNED | Reason::AUTHENTICATION_METHOD => 5,
            // "Server unavailable" is what else there is: a client tries again later.
            _ => 3,
        }
    }

    /// The code of SUBACK that says the same to this version.
    pub(super) fn subscribe_code(self, version: Version) -> u8 {
        if version != Version::V5 && self.is_failure() { Reason::UNSPECIFIED.0 } else { self.0 }
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#04x} {}", self.0, self.name())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a connection must end: what its client sent is not to be understood, or not allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// What CONNACK or DISCONNECT say.
    pub reason: Reason,
    /// What a person reads in the log, and the client in the reason string.
    pub words: &'static str,
}

impl Wrong {
    /// Bytes that are no packet.
    pub(super) const fn malformed(words: &'static str) -> Wrong {
        Wrong { reason: Reason::MALFORMED, words }
    }

    /// A packet that does not belong here, or says what it must not.
    pub(super) const fn protocol(words: &'static str) -> Wrong {
        Wrong { reason: Reason::PROTOCOL_ERROR, words }
    }

    /// Any other reason.
    pub(super) const fn new(reason: Reason, words: &'static str) -> Wrong {
        Wrong { reason, words }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.words)
    }
}
