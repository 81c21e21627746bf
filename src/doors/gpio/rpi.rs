//! The Raspberry Pi behind the pins: the one file that names rppal.

use rppal::system::{DeviceInfo, Error};

/// Which Raspberry Pi this is, as rppal names it (`Raspberry Pi Zero W`), or why none was found.
pub fn model() -> Result<String, Error> {
    Ok(DeviceInfo::new()?.model().to_string())
}
