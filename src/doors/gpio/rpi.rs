//! The Raspberry Pi behind the pins: the one file that names rppal.

use rppal::system::DeviceInfo;

/// Which Raspberry Pi this is by the revision in its processor's own words, as rppal names it (`Raspberry Pi Zero W`): old
/// kernels tell no other way.
pub fn model() -> Option<String> {
    Some(DeviceInfo::new().ok()?.model().to_string())
}
