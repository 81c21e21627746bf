//! How others reach the node: TLS, its certificate, and WebSocket as a carrier of bytes.

mod carrier;
mod certificate;
mod https;
