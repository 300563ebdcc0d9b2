//! How the record of a network namespace lies in memory.
//!
//! Its comments are those of the C header.

use crate::record::{Record, TextByte};
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Flags of a record: it is the listener's own; there is an id.
pub(crate) const OWN: u32 = 1;
pub(crate) const NSID: u32 = 2;

/// Room for a path: the longest is a name of 255 bytes among Docker's.
const PATH: usize = 280;
/// Bytes before it.
const HEAD: usize = 16;

/// A network namespace, as another knows it.
///
/// # Examples
///
/// Which are not heard by a listener of [all namespaces](crate::Options::all_namespaces):
///
/// ```
/// use ctrs::{Error, Events, NetworkNamespace};
///
/// fn deaf_to(events: &Events) -> Result<Vec<NetworkNamespace>, Error> {
///     let mut namespaces = events.namespaces()?;
///     namespaces.retain(|namespace| !namespace.is_heard());
///     Ok(namespaces)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
#[non_exhaustive]
pub struct NetworkNamespace {
    /// The inode of its file, as `ls -i /run/netns` and lsns(8) tell it; 0 where none was found.
    pub inode: u64,
    /// With CTRS_NAMESPACE_NSID, its id, that of the events: nsid of struct ctrs_event.
    pub nsid: i32,
    /// Some of enum ctrs_namespace_flags.
    pub flags: u32,
    /// A file that stands for it, as netns of struct ctrs_open_options takes it; empty where none
    /// was found.
    pub path: [TextByte; 280],
}

impl Default for NetworkNamespace {
    fn default() -> Self {
        Self { inode: 0, nsid: 0, flags: 0, path: [0; PATH] }
    }
}

impl NetworkNamespace {
    /// The id that its events bear.
    #[must_use]
    pub fn id(&self) -> Option<i32> {
        (self.flags & NSID != 0).then_some(self.nsid)
    }

    /// Whether it is the one that the listener is in.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.flags & OWN != 0
    }

    /// Whether a listener of all namespaces hears it: its own, and those that have an id there.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.flags & (OWN | NSID) != 0
    }

    /// A file that stands for it, if one was found.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        Some(Path::new(OsStr::from_bytes(self.c_path()?.to_bytes())))
    }

    pub(super) fn c_path(&self) -> Option<&CStr> {
        CStr::from_bytes_until_nul(&self.path).ok().filter(|path| !path.is_empty())
    }

    pub(super) fn own(inode: u64) -> Self {
        Self { inode, flags: OWN, ..Self::default() }
    }

    /// Of a file, whose path is of these parts; without one, if that is too long.
    pub(super) fn at(parts: &[&[u8]]) -> Self {
        let mut new = Self::default();
        if parts.iter().map(|part| part.len()).sum::<usize>() < PATH {
            let bytes = parts.iter().copied().flatten();
            new.path.iter_mut().zip(bytes).for_each(|(to, byte)| *to = *byte);
        }
        new
    }

    pub(super) fn known_by(self, inode: u64, id: Option<i32>) -> Self {
        let flags = u32::from(id.is_some()) * NSID;
        Self { inode, nsid: id.unwrap_or(0), flags, ..self }
    }

    crate::record::bytes!();
}

// No padding anywhere: the bytes of a record rely on it.
const _: () = assert!(size_of::<NetworkNamespace>() == HEAD + PATH);

// SAFETY: integers and arrays of them, without padding, as asserted above.
unsafe impl Record for NetworkNamespace {
    const LEAST: usize = HEAD;

    /// A path that does not fit with its end is none.
    fn cut(&mut self, size: usize) {
        let length = self.path.iter().position(|byte| *byte == 0).unwrap_or(PATH);
        if HEAD + length >= size {
            self.path = [0; PATH];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_does_not_fit_is_left_out() {
        let path = |namespace: &NetworkNamespace| namespace.path().map(|path| path.to_owned());
        let named = NetworkNamespace::at(&[b"/run/netns", b"/", b"blue"]);
        assert_eq!(path(&named).unwrap().as_os_str(), "/run/netns/blue");
        let long = [b'a'; PATH];
        assert_eq!(path(&NetworkNamespace::at(&[&long])), None);
        assert!(path(&NetworkNamespace::at(&[&long[1..]])).is_some());
        for (size, fits) in [(HEAD, false), (HEAD + 8, false), (HEAD + 16, true)] {
            let cut = NetworkNamespace::from_bytes(&named.as_bytes()[..size]).unwrap();
            assert_eq!(path(&cut).is_some(), fits, "{size}");
            let mut cut = named;
            cut.cut(size);
            assert_eq!(path(&cut).is_some(), fits, "{size}");
        }
    }
}
