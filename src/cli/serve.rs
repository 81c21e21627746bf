//! `linnet serve`: run the node.

use super::args::{Opt, Spec};
use super::{Action, Backend, Failure};
use crate::config::Loaded;

pub(super) const SERVE: Spec = Spec {
    words: "serve",
    operands: &[],
    options: &[
        Opt::setting("--http", "ADDR:PORT", "http.address"),
        Opt::setting("--mqtt", "ADDR:PORT", "mqtt.address"),
        Opt::switch("--test-mode"),
    ],
    help: HELP,
    build: |given, _| Ok(Action::Serve { sources: given.sources(), test_mode: given.has("--test-mode") }),
};

const HELP: &str = "\
linnet serve: run the node

usage: linnet [serve] [--data DIR] [--config FILE] [--http ADDR:PORT] [--mqtt ADDR:PORT|off] [--test-mode]

  --data DIR        the folder that holds everything (./linnet-data)
  --config FILE     settings to read (./linnet.toml, else /etc/linnet/linnet.toml)
  --http ADDR:PORT  where people, clients and devices connect (0.0.0.0:3000); port 0 takes a free one
  --mqtt ADDR:PORT  where devices connect by MQTT, or off; port 1883 beside --http
  --test-mode       for test suites, on loopback only: no rate limits, and well-known accounts

When it serves, it prints 'ready http=ADDR:PORT mqtt=ADDR:PORT pid=N' to standard output, with https=ADDR:PORT after
http where http.tls_address is set. SIGTERM or Ctrl-C stops it.

examples:
  linnet                               everything in ./linnet-data, open on port 3000
  linnet serve --http 127.0.0.1:8080   this machine only
  LINNET_DATA=/srv/linnet linnet       the same settings as variables
";

/// Serves until the node is told to stop.
pub(super) fn serve(settings: Loaded, test_mode: bool, backend: &dyn Backend) -> Result<(), Failure> {
    // Test mode opens accounts whose passwords everybody knows.
    let http = &settings.config.http;
    let open = [Some(http.address), http.tls_address].into_iter().flatten().find(|at| !at.ip().is_loopback());
    if let Some(address) = open.filter(|_| test_mode) {
        return Err(Failure {
            message: format!("--test-mode is refused on {address}: it is for loopback only"),
            hint: Some("add --http 127.0.0.1:0".to_owned()),
        });
    }
    backend.serve(settings, test_mode)
}
