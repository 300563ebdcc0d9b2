//! Flows of a mirror, looked up by any thread.
#![forbid(unsafe_code)]

use super::flows::MirrorFlows;
use super::record::MirrorInfo;
use crate::conntrack::error;
use crate::conntrack::expression::Expression;
use crate::conntrack::flow::Flow;
use crate::conntrack::key::Key;
use crate::conntrack::replica::{AT_ONCE, Kept, Replica};
use crate::conntrack::values::Id;
use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::netlink::socket::Socket;
use crate::shared::Shared;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Looks up the flows of a [`Mirror`](crate::Mirror), while another thread keeps them up to date: as of
/// the last change that it has read, though not handed out yet.
///
/// ```
/// use ctrs::{Error, Key, Mirror, MirrorReader, Tuple};
/// use std::net::SocketAddr;
///
/// /// Which public address a client has towards a server.
/// fn translated(reader: &MirrorReader, client: SocketAddr, server: SocketAddr) -> Result<(), Error> {
///     if let Some(flow) = reader.find(Tuple::tcp(client, server)?)? {
///         println!("{:?}", flow.source_nat());
///     }
///     Ok(())
/// }
///
/// fn watch(mut mirror: Mirror) {
///     let reader = mirror.reader().clone();
///     std::thread::spawn(move || while mirror.next_change().is_ok() {});
///     println!("{} flows", reader.info().flows);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct MirrorReader {
    table: Shared<Table>,
}

#[derive(Debug)]
struct Table {
    replica: RwLock<Replica>,
    /// Bytes of the receive buffer.
    buffer: AtomicUsize,
}

impl MirrorReader {
    pub(super) fn of(replica: Replica) -> Result<Self, Error> {
        let table = Table { replica: RwLock::new(replica), buffer: AtomicUsize::new(0) };
        let table = Shared::new(table).ok_or(error::Error::OutOfMemory)?;
        Ok(Self { table })
    }

    /// The flow with this key, if it is there and the mirror's filter selects it.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`].
    pub fn find(&self, key: impl Into<Key>) -> Result<Option<Flow>, Error> {
        let key = key.into();
        self.with(|replica| replica.find(&key), copied).transpose()
    }

    /// The flows with these keys, in their order: of each what [`Self::find`] finds. Of many this takes
    /// less time than one after the other, for most of a lookup is waiting for memory. Each is as of when
    /// it was looked up.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`].
    pub fn find_all(&self, keys: &[Key]) -> Result<Vec<Option<Flow>>, Error> {
        let mut flows = Vec::new();
        flows.try_reserve_exact(keys.len()).map_err(error::Error::from)?;
        for keys in keys.chunks(AT_ONCE) {
            let mut names = [None; AT_ONCE];
            names.iter_mut().zip(keys).for_each(|(name, key)| *name = Some(key.into()));
            for (key, kept) in keys.iter().zip(self.read().find_all(&names)) {
                let kept = kept.filter(|kept| kept.selected && key.is_of(kept.flow));
                flows.push(kept.as_ref().map(copied).transpose()?);
            }
        }
        Ok(flows)
    }

    /// The flow with this id, if it is there and the mirror's filter selects it. It may be that two
    /// have the same, though hardly ever: one of them.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`].
    pub fn find_id(&self, id: Id) -> Result<Option<Flow>, Error> {
        self.with(|replica| replica.find_id(id.0), copied).transpose()
    }

    /// All flows. Those that come and go meanwhile may be among them or not; each other comes once.
    pub fn flows(&self) -> MirrorFlows {
        MirrorFlows::of(self.clone(), None)
    }

    /// The flows of which an expression is definitely true.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`].
    pub fn flows_where(&self, expression: &Expression) -> Result<MirrorFlows, Error> {
        Ok(MirrorFlows::of(self.clone(), Some(expression.try_clone()?)))
    }

    /// The flows of which no event has told since the mirror knows them: nothing has happened to them, or
    /// they are silent, and are as they were when last listed. [`MirrorInfo::unheard`] is their number.
    pub fn unheard_flows(&self) -> MirrorFlows {
        MirrorFlows::unheard(self.clone())
    }

    /// The mirror in numbers.
    #[must_use]
    pub fn info(&self) -> MirrorInfo {
        MirrorInfo::of(&self.read(), self.table.buffer.load(Ordering::Relaxed) as u64)
    }

    /// What `f` makes of the flow that is found, if the mirror's filter selects it.
    pub(crate) fn with<T>(
        &self,
        find: impl FnOnce(&Replica) -> Option<Kept<'_>>,
        f: impl FnOnce(&Kept<'_>) -> T,
    ) -> Option<T> {
        find(&self.read()).filter(|kept| kept.selected).map(|kept| f(&kept))
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Replica> {
        // What a panic has left is whole enough to be looked at.
        self.table.replica.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Replica> {
        self.table.replica.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how large the receive buffer is.
    pub(super) fn set_buffer(&self, socket: &Socket) {
        let bytes = socket.receive_buffer().unwrap_or(0);
        self.table.buffer.store(bytes, Ordering::Relaxed);
    }
}

pub(super) fn copied(kept: &Kept<'_>) -> Result<Flow, Error> {
    Ok(Flow(kept.flow.try_clone()?))
}
