//! Flows deleted that a list hands out.
#![forbid(unsafe_code)]

use crate::connection::Connection;
use crate::conntrack::batch::Batch;
use crate::conntrack::flow::Flow;
use crate::conntrack::listing::List;
use crate::error::Error;

/// Flows that are deleted at once: some datagrams of requests.
const AT_ONCE: usize = 1000;

/// What became of the flows that [`FlowTable::delete_where`](crate::FlowTable::delete_where) or
/// [`FlowTable::delete_matching`](crate::FlowTable::delete_matching) has found.
///
/// ```
/// use ctrs::{Deleted, Error, Filter, FlowTable};
///
/// /// Deletes the flows with a mark; those that others delete meanwhile are no failure.
/// fn delete_marked(mark: u32) -> Result<u64, Error> {
///     let Deleted { deleted, .. } = FlowTable::open()?.delete_matching(&Filter::new().mark(mark))?;
///     Ok(deleted)
/// }
///
/// assert_eq!(Deleted::default().matched, 0);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deleted {
    /// Those that were selected.
    pub matched: u64,
    /// Those that were deleted.
    pub deleted: u64,
    /// Those that were gone by then, or had become another flow.
    pub gone: u64,
    /// Whether the list was consistent, see [`List::is_consistent`](crate::List::is_consistent). If it
    /// was not, the kernel's table was resized meanwhile, and flows may have been missed.
    pub consistent: bool,
}

impl Deleted {
    /// Counts the flows of a list, and deletes them through a connection; without one they are only
    /// counted.
    ///
    /// # Errors
    /// Those of the list, and of deleting but that a flow is gone. What was done before is counted.
    pub(crate) fn count(
        &mut self,
        list: &mut List,
        mut connection: Option<&mut Connection>,
    ) -> Result<(), Error> {
        let (mut batch, mut flow) = (Batch::new(), Flow::default());
        while list.next_into(&mut flow)? {
            self.matched += 1;
            let Some(connection) = connection.as_deref_mut() else { continue };
            batch.delete(&flow)?;
            if batch.len() == AT_ONCE {
                self.run(connection, &mut batch)?;
            }
        }
        if let Some(connection) = connection {
            self.run(connection, &mut batch)?;
        }
        self.consistent = list.is_consistent();
        Ok(())
    }

    /// Deletes what a batch says, and counts what became of it.
    fn run(&mut self, connection: &mut Connection, batch: &mut Batch) -> Result<(), Error> {
        let ran = connection.run(batch);
        let (done, missed) = batch.tally(libc::ENOENT);
        self.deleted += done as u64;
        self.gone += missed as u64;
        let failed = ran? > missed;
        let failure = if failed { batch.failure_but(libc::ENOENT) } else { None };
        batch.clear();
        failure.map_or(Ok(()), Err)
    }
}
