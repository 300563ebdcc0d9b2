//! What the system tells of itself, asked when something failed: privileges, sysctls, who has a
//! socket open. Nothing here allocates, and all of it is `None` where there is no `/proc`.

#[allow(unsafe_code, reason = "folders are read without allocating")]
pub mod holder;
pub mod module;
pub mod privilege;
pub mod sysctl;

use std::fs::File;
use std::io::Read;

/// The beginning of a file, as much of it as there is room for.
fn read<'a>(path: &str, room: &'a mut [u8]) -> Option<&'a str> {
    let mut file = File::open(path).ok()?;
    let mut length = 0;
    while let Some(rest) = room.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest).ok()? {
            0 => break,
            read => length += read,
        }
    }
    std::str::from_utf8(room.get(..length)?).ok()
}
