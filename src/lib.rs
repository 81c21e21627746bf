//! linnet: a chat node for things and people.
//!
//! *Doors translate; the node decides; the policy permits; the store remembers; the journal delivers; the world
//! supplies time and chance.* Each verb belongs to exactly one folder.
//!
//! # Floors
//!
//! ```text
//! main -> app -> doors -> node -> { store, delivery } -> chat -> base
//! ```
//!
//! | floor | what lives there | it has never heard of |
//! |---|---|---|
//! | [`base`] | ids, times, chance, limits, boards, their pins and budgets | chat |
//! | [`chat`] | the nouns, what can happen ([`chat::change`]), who may ([`chat::policy`]) | disks, clocks, wires |
//! | [`store`] | bytes that survive: journal, index, records, backups | listeners, rights |
//! | [`delivery`] | who listens and how far each has read | protocols, the store |
//! | [`node`] | everything a node can do, behind one writer | JSON, packets, sockets, runtimes |
//! | [`doors`] | protocols: HTTP with REST, realtime and the page; MQTT; TLS for them; the command line's socket; pins | the store, each other |
//! | [`app`], [`cli`], [`config`] | wiring, commands, settings | decisions |
//!
//! `tests/it/house` reads the tree and fails with file, line and the offending pair.
//!
//! # What always holds
//!
//! * Nobody is told what is not on the disk: answers, listeners and acknowledgements leave after the sync. The one thing
//!   that has no disk to wait for is a publication that no room, retained slot, receipt or absent session needs.
//! * Order is the journal's sequence, never the clock's. Times shown in a room never run backwards.
//! * What changes or reads something takes a permit that only [`chat::policy`] makes.
//! * A right that ends, ends listeners at its place in the order, even inside one group.
//! * Every queue, buffer, page and loop over input has a maximum in [`base::limits`]; a board's [`base::budget`] may
//!   give less, never more.
//! * An index that breaks, hangs or knows less than it did is set aside and built anew ([`store::rescue`]), and said so.
//! * What a damaged part of the journal lost comes back from a backup of the same node, in its order and once
//!   ([`store::backup::mend`]); the damaged files are kept.
//! * The index can be rebuilt from the journal, condensed or not; the journal from nothing.
//! * What is taken back leaves the disk within a day ([`node::condense`]), and its old place only after the new is kept.
//!
//! # The journey of one message
//!
//! 1. A door reads it and parses it into a [`chat::message::Draft`]: `doors::http::rest`, `doors::http::simple`,
//!    `doors::http::ddp`, `doors::mqtt::server`, `doors::mqtt::bridge`.
//! 2. [`node::NodeHandle::call`] puts a closure into the writer's queue, which is bounded and fair to each caller.
//! 3. The writer's thread runs it: [`node::Node::post_message`] asks [`chat::policy::may_post`] and appends a
//!    [`chat::change::Change`] to the group that is forming; the next job sees it at once through [`node::view`].
//! 4. The settler's thread writes the group to the [`store::journal`] and syncs it. The next group forms meanwhile.
//! 5. The Change is settled: readers see it ([`store::index::settled`]), the answer leaves, and [`delivery::Hub`] is told.
//! 6. The relay, one task in the runtime, wakes the sessions that follow the room. Each drains its
//!    [`delivery::Listener`] and sends bytes that were encoded once per dialect ([`delivery::Frames`]; for topics, its
//!    [`delivery::TopicSeat`] and [`delivery::Sheet`]).
//! 7. A checkpoint writes what the index has to know into sled, at the latest after a minute; a start replays the rest.
//!
//! A publication of MQTT ([`chat::publication`]) goes the same way where its topic's state, a session that outlives its
//! connection or a receipt needs it ([`delivery::Hub::keeps`]); else it goes from seat to seats in memory
//! ([`delivery::TopicSeat::publish`]), behind all that was settled before it. A group that shares a subscription has a
//! session of its own where kept sessions are in it; what a client leaves to be said when it dies is kept from its CONNECT
//! on ([`node::topics::wills`]). What people say to a device becomes a publication where the message does, in the same
//! group ([`node::topics::asking`]), and bindings of the owner's settings make messages of publications
//! ([`node::topics::bound`]).
//!
//! What people say to a device ([`chat::question`]) is published to its topic in the same group as the message itself
//! ([`node::topics::asking`]), whichever door the message came by; what it answers is a message like any other.
//!
//! # Adding things
//!
//! | to add | touch |
//! |---|---|
//! | a REST endpoint over an existing ability | one row and one function in `doors/http/rest/<family>.rs`, a golden file, a test |
//! | an ability | the above, one method in `node/<topic>.rs`, one permit in `chat/policy.rs`, a row of `tests/golden/policy.txt` |
//! | a stored noun | `chat/x.rs`, a tag in `store/record/change/tag.rs`, `store/record/x.rs`, `store/keys.rs`, `store/index/apply.rs` |
//! | a door | `doors/<name>/`, a line in `doors/mod.rs`, one in `app/serve.rs`, a block of `config.default.toml`, tests |
//! | a command | a file in `cli/` and a row in its table; what it asks in `doors/control/{wire,answer}.rs` |
//! | a dialect of devices | a file in `doors/mqtt/dialects/` and its line in the table there, messages as they are sent in its tests |
//! | a key of bindings | `doors/mqtt/binding/`, `config/binding.rs`, both blocks of `config.default.toml` |
//! | a setting | `config/settings.rs` and `config.default.toml`; a test holds them together |
//! | a board | `boards/<name>.toml`, its line in `base/board.rs`, its name in `config.default.toml` |
//! | a kind of Change | its arms in `store/index/{apply,live}.rs`: how the index follows it, when condensing lets it go |
//! | a trouble people must hear of | a row in `node/health.rs` |
//! | a way to lose power or a disk | a row in `tests/plug/row/` |
//! | a permission | its row in `chat/permission.rs`, asked in `chat/policy.rs` |
//! | a limit | a constant with unit and reason in `base/limits.rs` |
//!
//! # Where this leaves its plan
//!
//! * The index keeps encoded keys and values in its layers, not nouns: one overlay serves every noun, and a checkpoint
//!   writes each key once however often it changed.
//! * A waymark every few hundred Changes leads from a sequence to its place, so a minted message id needs no key.
//! * Times that were guesses are corrected where they are read ([`store::index::times`]), not rewritten: there is no
//!   moment at which a history is half corrected. Nobody but [`node::clock`] asks for the machine's wall clock.
//! * The runtime is single-threaded: a second thread raised the CPU spent per delivery, and a Pi Zero has one core.
//! * Realtime sessions own their sockets and hold no buffer while they are silent; of tokio-tungstenite they use the
//!   handshake and the frame headers. A stream type with buffers of its own costs some KiB for each idle socket.
//! * The broker's packets are read and written by the door itself: rumqttc's readers trust the broker they speak with and
//!   let through what a server must refuse (`doors::mqtt::server::packet` says what). It is the peer in their tests.
//! * Doors use [`delivery`] beyond its frames: a listener ends with its right by itself, so a door cannot forget it.
//! * `doors/reach` is no door but what doors stand on, so any of them may name it: a connection, whether it came in clear,
//!   over TLS or inside a WebSocket's frames.
//! * Who hears topics has a bounded queue ([`delivery::TopicSeat`]): most publications are never stored, so there is no
//!   place to go back to. Of those that are kept the queue forgets what does not fit, and the door reads the store.
//! * `simple.rs`, device posts and streams, is a door within HTTP because it shares the port and the guard.

pub mod app;
pub mod base;
pub mod chat;
pub mod cli;
pub mod config;
pub mod delivery;
pub mod doors;
pub mod node;
pub mod store;
