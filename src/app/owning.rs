//! The code by which somebody becomes the owner: one of the node's own, or one that lies in a file.

use crate::base::limits::OWNER_CODE_FILE_BYTES_MAX;
use crate::node::{Caller, NodeHandle};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The code of this start; none when there is an owner. A file that does not serve is no reason not to start.
pub(super) async fn code(node: &NodeHandle, file: Option<&Path>) -> Option<String> {
    if node.read(|reading| reading.has_owner()).unwrap_or(true) {
        return None;
    }
    if let Some(path) = file {
        match read(path) {
            Ok(code) => {
                let kept = node
                    .call(&Caller::Operator, move |node| node.keep_owner_code(&Caller::Operator, &code))
                    .await;
                match kept {
                    Ok(code) => return Some(code),
                    Err(refusal) => {
                        tracing::warn!(file = %path.display(), ?refusal, "the owner's code is not used")
                    }
                }
            }
            Err(error) => tracing::warn!(file = %path.display(), %error, "the owner's code is not read"),
        }
    }
    node.call(&Caller::Operator, |node| node.make_owner_code(&Caller::Operator)).await.ok()
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(OWNER_CODE_FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}
