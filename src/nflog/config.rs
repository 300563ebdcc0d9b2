//! What the kernel is told of groups: configuration messages.
//!
//! ```text
//! nlmsghdr: type 0x0401, flags REQUEST | ACK, seq, port 0
//! nfgenmsg: u8 family, u8 version 0, be16 group
//! CMD 1       u8  bind 1, unbind 2; bind 3 or unbind 4 the family
//! MODE 2      be32 range, u8 mode, u8 padding
//! NLBUFSIZ 3  be32 bytes            TIMEOUT 4  be32 hundredths of a second
//! QTHRESH 5   be32 packets          FLAGS 6    be16
//! ```
//!
//! Settings may share the message of a command: the kernel does all of them or nothing.
#![forbid(unsafe_code)]

use crate::netlink::Error;
use crate::netlink::builder::{ACK, Builder, Header};
use crate::uapi::nful;
use std::ops::RangeInclusive;

/// Bytes of a message with a command and each setting once.
pub const CONFIG_SIZE: usize = 128;

/// The bytes that batches may have: the kernel says yes to other numbers, and ignores them.
pub const BUFFER_SIZES: RangeInclusive<u32> = 3_776..=131_072;

/// What the kernel is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Send the packets of the group to the socket that asks.
    Bind,
    /// Send what is batched, and no more.
    Unbind,
    /// Make this the default logger of the family.
    BindFamily,
    /// Take the default logger from the family, whichever it is.
    UnbindFamily,
}

impl Command {
    fn number(self) -> u8 {
        match self {
            Self::Bind => nful::CMD_BIND,
            Self::Unbind => nful::CMD_UNBIND,
            Self::BindFamily => nful::CMD_PF_BIND,
            Self::UnbindFamily => nful::CMD_PF_UNBIND,
        }
    }
}

/// A setting of a group, as the kernel is told: nothing is checked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// How much of each packet is sent.
    Mode {
        /// `NFULNL_COPY_*`.
        mode: u8,
        /// Bytes of the payload; 0 for as much as fits.
        range: u32,
    },
    /// Bytes of a batch, of [`BUFFER_SIZES`].
    BufferSize(u32),
    /// How long a batch waits for more, in hundredths of a second.
    Timeout(u32),
    /// Packets of a batch.
    Threshold(u32),
    /// `NFULNL_CFG_F_*`.
    Flags(u16),
}

/// A configuration message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config<'a> {
    /// The family whose default logger is meant; 0 where a group is.
    pub family: u8,
    /// The group; 0 where a family is meant.
    pub group: u16,
    /// What to do.
    pub command: Option<Command>,
    /// What to set.
    pub settings: &'a [Setting],
}

impl<'a> Config<'a> {
    /// A command about a group.
    #[must_use]
    pub fn command(group: u16, command: Command) -> Self {
        Self { family: 0, group, command: Some(command), settings: &[] }
    }

    /// A command about a family.
    #[must_use]
    pub fn of_family(family: u8, command: Command) -> Self {
        Self { family, ..Self::command(0, command) }
    }

    /// Settings of a group that is bound.
    #[must_use]
    pub fn settings(group: u16, settings: &'a [Setting]) -> Self {
        Self { family: 0, group, command: None, settings }
    }

    /// Builds the message at the beginning of `buffer`, numbered `seq`, and returns its length.
    ///
    /// # Errors
    /// [`Error::TooLong`].
    pub fn build(&self, buffer: &mut [u8], seq: u32) -> Result<usize, Error> {
        let header = Header {
            kind: nful::CONFIG,
            flags: ACK,
            seq,
            family: self.family,
            resource: self.group,
            ..Header::default()
        };
        let mut message = Builder::message(buffer, header);
        if let Some(command) = self.command {
            message.put_u8(nful::CFG_CMD, command.number());
        }
        self.settings.iter().for_each(|setting| setting.put(&mut message));
        message.finish()
    }
}

impl Setting {
    /// Appends it to a message.
    pub(crate) fn put(self, message: &mut Builder<'_>) {
        match self {
            Self::Mode { mode, range } => {
                let [a, b, c, d] = range.to_be_bytes();
                message.put(nful::CFG_MODE, &[a, b, c, d, mode, 0]);
            }
            Self::BufferSize(bytes) => message.put_be32(nful::CFG_NLBUFSIZ, bytes),
            Self::Timeout(hundredths) => message.put_be32(nful::CFG_TIMEOUT, hundredths),
            Self::Threshold(packets) => message.put_be32(nful::CFG_QTHRESH, packets),
            Self::Flags(flags) => message.put_be16(nful::CFG_FLAGS, flags),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::message::{Attributes, Message};

    fn built(config: &Config<'_>) -> Vec<u8> {
        let mut buffer = [0xff; CONFIG_SIZE];
        let length = config.build(&mut buffer, 9).unwrap();
        buffer[..length].to_vec()
    }

    #[test]
    fn a_command_is_told_of_its_group() {
        let message = built(&Config::command(258, Command::Bind));
        let parsed = Message::first(&message).unwrap();
        assert_eq!((parsed.kind, parsed.flags, parsed.seq), (0x0401, 5, 9));
        assert_eq!(message[12..20], [0, 0, 0, 0, 0, 0, 1, 2], "port, family, version, group");
        assert_eq!(message[24..], [1, 0, 0, 0]);
        let family = built(&Config::of_family(10, Command::UnbindFamily));
        assert_eq!((family[16], family[24]), (10, 4));
    }

    #[test]
    fn settings_share_a_message_with_a_command() {
        let settings = [
            Setting::Mode { mode: 2, range: 65535 },
            Setting::BufferSize(4096),
            Setting::Timeout(100),
            Setting::Threshold(1),
            Setting::Flags(3),
        ];
        let config = Config { settings: &settings, ..Config::command(5, Command::Bind) };
        let message = built(&config);
        let parsed = Message::first(&message).unwrap();
        let values: Vec<_> = Attributes::new(parsed.attributes())
            .map(|attribute| (attribute.kind, attribute.value))
            .collect();
        assert_eq!(
            values,
            [
                (1, &[1][..]),
                (2, &[0, 0, 0xff, 0xff, 2, 0]),
                (3, &[0, 0, 16, 0]),
                (4, &[0, 0, 0, 100]),
                (5, &[0, 0, 0, 1]),
                (6, &[0, 3]),
            ]
        );
        assert!(config.build(&mut [0; 40], 1).is_err());
    }
}
