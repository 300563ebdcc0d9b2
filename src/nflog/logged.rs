//! What a log hands out: packets in their order, and what is missing between them.
#![forbid(unsafe_code)]

use super::datagram::{Found, Walk};
use super::losses::{Loss, Losses, Numbers};
use super::packet::Packet;
#[cfg(feature = "capi")]
use super::record::{PacketField, PacketRecord};
#[cfg(feature = "capi")]
use crate::netlink::Error;
use std::time::SystemTime;

/// What a log hands out next.
#[derive(Debug)]
pub enum Logged<'a> {
    /// A packet.
    Packet {
        /// The packet, borrowed from the log.
        packet: Packet<'a>,
        /// When its datagram was received, for packets without a time of their own.
        received: SystemTime,
    },
    /// Something is missing here. What comes next is whole.
    Lost(Loss),
}

impl<'a> Logged<'a> {
    /// The packet, if it is one.
    #[must_use]
    pub fn packet(self) -> Option<Packet<'a>> {
        match self {
            Self::Packet { packet, .. } => Some(packet),
            Self::Lost(_) => None,
        }
    }
}

/// The packets of a datagram, as a program has received or kept it: decoded without a kernel.
///
/// ```
/// use ctrs::Packets;
///
/// fn prefixes(datagram: &[u8]) -> Vec<String> {
///     Packets::of(datagram).filter_map(|packet| Some(packet.prefix_lossy()?.into_owned())).collect()
/// }
/// assert!(prefixes(&[]).is_empty());
/// ```
#[derive(Debug, Clone)]
pub struct Packets<'a> {
    datagram: &'a [u8],
    walk: Walk,
}

impl<'a> Packets<'a> {
    /// Those of a datagram, up to the first message that is cut short.
    #[must_use]
    pub fn of(datagram: &'a [u8]) -> Self {
        Self { datagram, walk: Walk::default() }
    }

    /// Those that a walk has not come to.
    pub(super) fn behind(datagram: &'a [u8], walk: Walk) -> Self {
        Self { datagram, walk }
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        loop {
            if let Found::Packet(message) = self.walk.next(self.datagram)?.ok()? {
                return Packet::of(&message);
            }
        }
    }
}

/// Where a log has come to in its datagram, and what is known of losses.
#[derive(Debug)]
pub(super) struct Reading {
    pub walk: Walk,
    /// When the datagram was received.
    pub received: SystemTime,
    pub numbers: Numbers,
    pub losses: Losses,
    untold: Option<Loss>,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            walk: Walk::default(),
            received: SystemTime::UNIX_EPOCH,
            numbers: Numbers::default(),
            losses: Losses::default(),
            untold: None,
        }
    }
}

impl Reading {
    /// Begins with another datagram, received now.
    pub fn begin(&mut self) {
        self.walk = Walk::default();
        self.received = SystemTime::now();
    }

    /// Something was lost, which is told before anything else.
    pub fn lose(&mut self, loss: Loss) {
        self.losses.count(loss);
        self.untold = Some(loss);
    }

    /// Whether there is something to hand out.
    pub fn has_next(&mut self, datagram: &[u8]) -> bool {
        while self.untold.is_none() {
            let mut ahead = self.walk;
            match ahead.next(datagram) {
                Some(Ok(Found::Packet(_))) => break,
                Some(_) => self.walk = ahead,
                None => return false,
            }
        }
        true
    }

    /// Makes an empty record what comes next of a datagram, and puts the message at a place of the
    /// buffer. Where that ends; `None` if nothing comes.
    ///
    /// # Errors
    /// [`Error::TooLong`]: it does not fit there, and comes still.
    #[cfg(feature = "capi")]
    pub fn next_record(
        &mut self,
        datagram: &[u8],
        record: &mut PacketRecord,
        (buffer, at): (&mut [u8], usize),
    ) -> Result<Option<usize>, Error> {
        if let Some(loss) = self.untold.take() {
            record.lose(loss);
            return Ok(Some(at));
        }
        let mut ahead = self.walk;
        let message = loop {
            match ahead.next(datagram) {
                Some(Ok(Found::Packet(message))) => break message,
                Some(_) => self.walk = ahead,
                None => return Ok(None),
            }
        };
        let (bytes, rest) = (message.bytes(), buffer.get_mut(at..).unwrap_or_default());
        let (needed, room) = (bytes.len(), rest.len());
        let rest = rest.get_mut(..needed).ok_or(Error::TooLong { needed, room })?;
        record.fill(&message, at as u32);
        let seq = record.has(PacketField::Seq).then_some(record.seq);
        let count = self.numbers.missing(record.group, seq);
        if count != 0 {
            let loss = Loss::Packets { group: record.group, count };
            self.losses.count(loss);
            *record = PacketRecord::default();
            record.lose(loss);
            return Ok(Some(at));
        }
        rest.copy_from_slice(bytes);
        record.set_received(self.received);
        self.walk = ahead;
        Ok(Some(at + needed))
    }

    /// What [`has_next`](Self::has_next) has found.
    pub fn take<'a>(&mut self, datagram: &'a [u8]) -> Option<Logged<'a>> {
        if let Some(loss) = self.untold.take() {
            return Some(Logged::Lost(loss));
        }
        let before = self.walk;
        let Found::Packet(message) = self.walk.next(datagram)?.ok()? else { return None };
        let packet = Packet::of(&message)?;
        let group = packet.group();
        match self.numbers.missing(group, packet.seq()) {
            0 => Some(Logged::Packet { packet, received: self.received }),
            count => {
                self.walk = before;
                let loss = Loss::Packets { group, count };
                self.losses.count(loss);
                Some(Logged::Lost(loss))
            }
        }
    }
}

/// What one datagram holds: see [`PacketLog::next_batch`](crate::PacketLog::next_batch). What was not
/// taken from it is handed out later.
///
/// ```
/// use ctrs::{Error, Logged, LoggedBatch, PacketLog};
///
/// fn bytes(batch: LoggedBatch<'_>) -> usize {
///     batch.filter_map(Logged::packet).filter_map(|packet| packet.payload()).map(<[u8]>::len).sum()
/// }
/// fn waiting() -> Result<usize, Error> {
///     let mut log = PacketLog::open()?;
///     log.set_nonblocking(true)?;
///     log.next_batch().map(bytes)
/// }
/// match waiting() {
///     Ok(bytes) => println!("{bytes} bytes at once"),
///     Err(error) => println!("{error}"), // no group was bound
/// }
/// ```
#[derive(Debug)]
pub struct LoggedBatch<'a> {
    pub(super) datagram: &'a [u8],
    pub(super) reading: &'a mut Reading,
}

impl<'a> Iterator for LoggedBatch<'a> {
    type Item = Logged<'a>;

    fn next(&mut self) -> Option<Logged<'a>> {
        if self.reading.has_next(self.datagram) { self.reading.take(self.datagram) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::super::datagram::tests::{answer, message};
    use super::*;
    use crate::uapi::nful;

    /// A packet of a group, numbered if it has a number.
    fn packet(group: u8, number: Option<u32>) -> Vec<u8> {
        let mut payload = vec![2, 0, 0, group];
        if let Some(number) = number {
            payload.extend(8_u16.to_ne_bytes());
            payload.extend(nful::SEQ.to_ne_bytes());
            payload.extend(number.to_be_bytes());
        }
        message(nful::PACKET, 0, &payload)
    }

    fn told(reading: &mut Reading, datagram: &[u8]) -> Vec<Result<(u16, Option<u32>), Loss>> {
        LoggedBatch { datagram, reading }
            .map(|logged| match logged {
                Logged::Packet { packet, .. } => Ok((packet.group(), packet.seq())),
                Logged::Lost(loss) => Err(loss),
            })
            .collect()
    }

    #[test]
    fn packets_come_in_order_and_losses_where_they_are() {
        let mut reading = Reading::default();
        for group in [1, 2] {
            reading.numbers.reserve().unwrap();
            reading.numbers.begin(group, 0);
        }
        let one = [packet(1, Some(0)), answer(3, 0), packet(2, None), packet(1, Some(3))].concat();
        let gap = Err(Loss::Packets { group: 1, count: 2 });
        let expected = [Ok((1, Some(0))), Ok((2, None)), gap, Ok((1, Some(3)))];
        assert_eq!(told(&mut reading, &one), expected);
        reading.begin();
        reading.lose(Loss::Overrun);
        let two = [packet(1, Some(4)), packet(1, Some(6))[..16].to_vec()].concat();
        assert_eq!(told(&mut reading, &two), [Err(Loss::Overrun), Ok((1, Some(4)))]);
        assert_eq!(reading.losses, Losses { overruns: 1, datagrams: 0, packets: 2 });
        assert_eq!(Packets::of(&one).count(), 3);
    }

    #[test]
    fn what_was_not_taken_is_handed_out_later() {
        let (mut reading, datagram) = (Reading::default(), [packet(1, None), packet(2, None)]);
        let datagram = datagram.concat();
        let mut batch = LoggedBatch { datagram: &datagram, reading: &mut reading };
        let first = batch.next().and_then(Logged::packet).unwrap();
        assert_eq!(first.group(), 1);
        assert_eq!(Packets::behind(&datagram, reading.walk).count(), 1);
        assert_eq!(told(&mut reading, &datagram), [Ok((2, None))]);
    }
}
