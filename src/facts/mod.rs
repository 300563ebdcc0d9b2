//! What the system tells of itself, asked when something failed: privileges, sysctls, who has a
//! socket open. Nothing here allocates, and all of it is `None` where there is no `/proc`.

#[allow(unsafe_code, reason = "folders are read without allocating")]
pub(crate) mod folder;
pub mod holder;
pub mod log_group;
pub mod module;
pub mod privilege;
pub mod sysctl;
#[allow(unsafe_code, reason = "the system call that tells")]
pub mod ticks;

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

/// What is made of the first line of a file of which anything is.
fn find_line<T>(path: &str, mut found: impl FnMut(&str) -> Option<T>) -> Option<T> {
    let mut file = File::open(path).ok()?;
    let (mut room, mut length) = ([0; 4096], 0);
    loop {
        let read = file.read(room.get_mut(length..)?).ok()?;
        length += read;
        let text = room.get(..length)?;
        // The last line may go on.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let text = std::str::from_utf8(text.get(..whole)?).ok()?;
        if let Some(found) = text.lines().find_map(&mut found) {
            return Some(found);
        }
        if read == 0 {
            return None;
        }
        room.copy_within(whole..length, 0);
        length -= whole;
    }
}
