//! Which network namespaces there are, as far as this process may see them, and by which ids another
//! knows them.

#[allow(unsafe_code, reason = "records as bytes")]
pub mod record;

use crate::facts::folder::{Folder, Identity};
use crate::netlink::Error;
use crate::netlink::nsid::Ids;
use crate::netlink::socket::Socket;
use crate::options::NAMESPACE_FLAGS;
use record::NetworkNamespace;
use std::ffi::CStr;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;

/// Where programs keep files of namespaces, each with a name.
const NAMED: [&CStr; 2] = [c"/run/netns", c"/var/run/docker/netns"];
/// Where those of processes are, and what follows the number.
const PROCESSES: &CStr = c"/proc";
const OF_PROCESS: &[u8] = b"/ns/net";
const OWN: &CStr = c"/proc/thread-self/ns/net";

/// The namespace of a socket first, then those that have a file, then those that have but an id there.
///
/// # Errors
/// [`Error::OutOfMemory`]; [`Error::System`], with `EOPNOTSUPP` before Linux 4.0.
pub(crate) fn of(socket: &Socket) -> Result<Vec<NetworkNamespace>, Error> {
    let mut found = Err(Error::OutOfMemory);
    socket.inside(&mut || found = Found::here())?;
    found
}

/// What was found.
#[derive(Default)]
struct Found {
    namespaces: Vec<NetworkNamespace>,
    /// What tells them apart.
    files: Vec<Identity>,
}

impl Found {
    fn here() -> Result<Vec<NetworkNamespace>, Error> {
        let (mut found, ids) = (Self::default(), Ids::open()?);
        if let Some(own) = Identity::of(libc::AT_FDCWD, OWN) {
            found.add(own, NetworkNamespace::own(own.inode))?;
        }
        for folder in NAMED {
            found.look(&ids, folder, b"", &|_| true)?;
        }
        let is_process = |name: &[u8]| name.iter().all(u8::is_ascii_digit);
        found.look(&ids, PROCESSES, OF_PROCESS, &is_process)?;
        found.add_others(&ids)?;
        Ok(found.namespaces)
    }

    /// Adds what the files in a folder stand for; who may not look there sees none.
    fn look(
        &mut self,
        ids: &Ids,
        folder: &CStr,
        rest: &[u8],
        counts: &dyn Fn(&[u8]) -> bool,
    ) -> Result<(), Error> {
        let Some(mut entries) = Folder::open(libc::AT_FDCWD, folder) else { return Ok(()) };
        while let Some((_, name)) = entries.next() {
            let name = name.to_bytes();
            if counts(name) {
                self.see(ids, NetworkNamespace::at(&[folder.to_bytes(), b"/", name, rest]))?;
            }
        }
        Ok(())
    }

    /// Adds the namespace of a file, unless it is there already, or is none.
    fn see(&mut self, ids: &Ids, seen: NetworkNamespace) -> Result<(), Error> {
        let identity = seen.c_path().and_then(|path| Identity::of(libc::AT_FDCWD, path));
        let (Some(identity), Some(path)) = (identity, seen.path()) else { return Ok(()) };
        if let Some(known) = self.files.iter().position(|file| *file == identity) {
            let known = self.namespaces.get_mut(known).filter(|known| known.path().is_none());
            known.into_iter().for_each(|known| known.path = seen.path);
            return Ok(());
        }
        let file = File::options().read(true).custom_flags(NAMESPACE_FLAGS).open(path);
        let Ok(file) = file else { return Ok(()) };
        match ids.of(file.as_fd()) {
            Ok(id) => self.add(identity, seen.known_by(identity.inode, id)),
            Err(Error::Refused(libc::EINVAL)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn add(&mut self, file: Identity, namespace: NetworkNamespace) -> Result<(), Error> {
        self.files.try_reserve(1)?;
        self.namespaces.try_reserve(1)?;
        self.files.push(file);
        self.namespaces.push(namespace);
        Ok(())
    }

    /// Adds those of which no file was found.
    fn add_others(&mut self, ids: &Ids) -> Result<(), Error> {
        let namespaces = &mut self.namespaces;
        ids.each(&mut |id| {
            if !namespaces.iter().any(|namespace| namespace.id() == Some(id)) {
                namespaces.try_reserve(1)?;
                namespaces.push(NetworkNamespace::default().known_by(0, Some(id)));
            }
            Ok(())
        })
    }
}
