//! Requests of Rust programs that return what became of a flow.
#![forbid(unsafe_code)]

use crate::conntrack::change::Changes;
use crate::conntrack::flow::Flow;
use crate::conntrack::key::Key;
use crate::conntrack::new_flow::NewFlow;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::one::Update;
use crate::conntrack::table::FlowTable;
use crate::conntrack::wire::query::Request;
use crate::error::Error;

/// What became of a flow.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ctrs::{Direction, Flow, FlowTable, Returned};
///
/// fn end(table: &mut FlowTable, flow: &Flow) -> Result<(), ctrs::Error> {
///     let Returned { flow: last, echoed, .. } = table.delete_returning(flow)?;
///     if let Some(counters) = last.and_then(|last| last.counters(Direction::Original)) {
///         println!("{} bytes{}", counters.bytes, if echoed { "" } else { " or more" });
///     }
///     Ok(())
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Returned {
    /// The flow; `None` if it was gone when it was asked for.
    pub flow: Option<Flow>,
    /// Whether the kernel returned it: exactly what the request made of it. It does so with flows
    /// that report events. Of others a get tells, right after the request, or right before it for one
    /// that deletes.
    pub echoed: bool,
}

impl FlowTable {
    /// As [`create`](Self::create), and returns the flow: with its id, and as NAT has made it.
    ///
    /// # Errors
    /// Those of [`create`](Self::create).
    pub fn create_returning(&mut self, flow: &NewFlow) -> Result<Returned, Error> {
        returned(|into| self.connection.change(&Request::Create(flow), &flow.into(), Some(into)))
    }

    /// As [`update`](Self::update), and returns the flow.
    ///
    /// # Errors
    /// Those of [`update`](Self::update).
    pub fn update_returning(
        &mut self,
        key: impl Into<Key>,
        changes: &Changes,
    ) -> Result<Returned, Error> {
        let key = key.into();
        returned(|into| self.connection.update(&key, Update::Changes(changes), Some(into)))
    }

    /// As [`delete`](Self::delete), and returns the flow as it was at its end: with its last counters,
    /// if it has any.
    ///
    /// # Errors
    /// Those of [`delete`](Self::delete).
    pub fn delete_returning(&mut self, key: impl Into<Key>) -> Result<Returned, Error> {
        let key = key.into();
        returned(|into| self.connection.change(&Request::Delete(&key), &key, Some(into)))
    }
}

fn returned(
    request: impl FnOnce(&mut Conntrack) -> Result<bool, Error>,
) -> Result<Returned, Error> {
    let mut flow = Flow::default();
    let echoed = request(&mut flow.0)?;
    let told = flow.0.flat.present.iter().next().is_some();
    Ok(Returned { flow: told.then_some(flow), echoed })
}
