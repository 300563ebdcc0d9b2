//! What an update changes.
#![forbid(unsafe_code)]

use super::key::Key;
use super::labels::set::Labels;
use super::object::attr::Attr;
use super::object::entry::Conntrack;
use super::values::{
    Direction, Helper, Mark, SctpInfo, SeqAdjust, Status, SynProxy, TcpFlags, TcpState,
};
use crate::conntrack::error::Error;
use crate::invalid::Invalid;
use crate::netlink::number::seconds;
use std::fmt;
use std::time::Duration;

/// What an update changes of a flow; all else stays as it is. See
/// [`FlowTable::update`](crate::FlowTable::update).
///
/// ```
/// use ctrs::{Changes, Mark};
/// use std::time::Duration;
///
/// let changes = Changes::new().mark(Mark::masked(0x4, 0xf)).timeout(Duration::from_secs(30));
/// ```
#[must_use = "changes are made by FlowTable::update"]
#[derive(Clone, Default)]
pub struct Changes {
    ct: Conntrack,
    mark: Option<Mark>,
    status: u32,
    helper: Option<Helper>,
    /// Those to be set, and all that change.
    labels: [Labels; 2],
}

impl Changes {
    /// No change yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The mark: a number, or some bits of it.
    pub fn mark(self, mark: impl Into<Mark>) -> Self {
        Self { mark: Some(mark.into()), ..self }
    }

    /// How long the flow lasts from now on if no packet comes, rounded up to seconds.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|ct| ct.fill_u32(Attr::Timeout, seconds(timeout)))
    }

    /// From now on the flow is not dropped early when the table is full.
    pub fn assured(self) -> Self {
        self.status(Status::ASSURED)
    }

    /// From now on packets do not change the timeout, nor do updates. That cannot be undone.
    pub fn fixed_timeout(self) -> Self {
        self.status(Status::FIXED_TIMEOUT)
    }

    fn status(self, bits: Status) -> Self {
        Self { status: self.status | bits.bits(), ..self }
    }

    /// The flow gets a label, 0 to 127.
    pub fn set_label(self, label: u8) -> Self {
        self.label(label, true)
    }

    /// The flow loses a label.
    pub fn clear_label(self, label: u8) -> Self {
        self.label(label, false)
    }

    /// The flow gets these labels, as [`LabelMap::labels`](crate::LabelMap::labels) finds them by
    /// name.
    pub fn set_labels(self, labels: Labels) -> Self {
        labels.iter().fold(self, Self::set_label)
    }

    /// The flow loses these labels.
    pub fn clear_labels(self, labels: Labels) -> Self {
        labels.iter().fold(self, Self::clear_label)
    }

    fn label(mut self, label: u8, set: bool) -> Self {
        let [values, mask] = &mut self.labels;
        mask.insert(label);
        if set {
            values.insert(label)
        } else {
            values.remove(label)
        }
        self
    }

    /// How far the TCP connection has come.
    pub fn tcp_state(self, state: TcpState) -> Self {
        self.with(|ct| ct.fill_tcp_state(state))
    }

    /// Of one side of the TCP connection, those flags of `mask`.
    pub fn tcp_flags(self, of: Direction, flags: TcpFlags, mask: TcpFlags) -> Self {
        self.with(|ct| ct.fill_tcp_flags(of, flags & mask, mask.bits()))
    }

    /// How far the SCTP association has come, with its tags.
    pub fn sctp_info(self, info: SctpInfo) -> Self {
        self.with(|ct| ct.fill_sctp(info))
    }

    /// The helper: one for the other where the flow has a helper, else none.
    pub fn helper(self, helper: Helper) -> Self {
        Self { helper: Some(helper), ..self }
    }

    /// By how much sequence numbers of a direction are shifted.
    pub fn seq_adjust(self, of: Direction, adjust: SeqAdjust) -> Self {
        self.with(|ct| ct.fill_seq_adjust(of, adjust))
    }

    /// What the SYN proxy keeps.
    pub fn synproxy(self, synproxy: SynProxy) -> Self {
        self.with(|ct| ct.fill_synproxy(synproxy))
    }

    /// What was said of a flow to be created: its labels are to be these and no others.
    pub(super) fn of(
        ct: Conntrack,
        mark: Option<Mark>,
        status: u32,
        helper: Option<Helper>,
        labels: Option<Labels>,
    ) -> Self {
        let labels = labels.map(|labels| [labels, (0..128).chain(labels.iter()).collect()]);
        Self { ct, mark, status, helper, labels: labels.unwrap_or_default() }
    }

    fn with(mut self, fill: impl FnOnce(&mut Conntrack)) -> Self {
        fill(&mut self.ct);
        self
    }

    /// The mark to be sent, with its mask.
    pub(crate) fn marked(&self) -> Option<Mark> {
        self.mark
    }

    /// Status bits to be set beside those that the flow has.
    pub(crate) fn status_bits(&self) -> u32 {
        self.status
    }

    /// What is to be sent of the flow with this key, but for mark, status and tuples.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::OutOfMemory`].
    pub(crate) fn object(&self, key: &Key) -> Result<Conntrack, Error> {
        let [values, mask] = self.labels;
        self.check(key)?;
        let mut ct = self.ct.try_clone()?;
        if !mask.is_empty() {
            ct.fill_labels(values, false)?;
            ct.fill_labels(mask, true)?;
        }
        self.helper.as_ref().map_or(Ok(()), |helper| ct.fill_helper(helper))?;
        // The state is encoded by the protocol.
        let protocol = key.tuple.object();
        (ct.flat.orig.l3proto, ct.flat.orig.l4proto) = (protocol.l3proto, protocol.l4proto);
        Ok(ct)
    }

    fn check(&self, key: &Key) -> Result<(), Invalid> {
        let [_, mask] = &self.labels;
        let nothing = self.mark.is_none()
            && self.status == 0
            && self.helper.is_none()
            && mask.is_empty()
            && self.ct.flat.present.iter().next().is_none();
        if nothing {
            return Err(Invalid::NothingToChange);
        }
        if self.ct.has_foreign_state(key.tuple.protocol()) {
            return Err(Invalid::State);
        }
        mask.check()
    }
}

/// What changes; of numbers that are seldom changed, only which they are.
impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [values, mask] = &self.labels;
        f.debug_struct("Changes")
            .field("mark", &self.mark)
            .field("status", &Status::from_bits_retain(self.status))
            .field("labels", values)
            .field("labels_that_change", mask)
            .field("helper", &self.helper)
            .field("others", &self.ct.flat.present.iter().collect::<Vec<_>>())
            .finish()
    }
}
