//! The requests about user-space helpers.
#![forbid(unsafe_code)]

use super::object::{Helper, Number};
use super::wire;
use crate::connection::Ask;
use crate::error::{Error, RequestKind};
use crate::netlink::builder::{ACK, Builder, CREATE, DUMP, Header};
use crate::uapi::helper as nfcth;

/// A request before it is built.
#[derive(Debug, Clone, Copy)]
pub enum Request<'a> {
    /// To create a helper, which must be new, or to change the one of its name and protocols.
    Set { helper: &'a Helper, new: bool },
    /// For the helper of this name, and protocols if it has some.
    Get(&'a Helper),
    /// To delete it.
    Delete(&'a Helper),
    /// To delete all.
    Flush,
    /// For all.
    List,
}

impl Request<'_> {
    /// What it asks, the number of its message, its flags.
    fn header(&self) -> (RequestKind, u8, u16) {
        let exclusive = CREATE | libc::NLM_F_EXCL as u16;
        match self {
            Self::Set { new, .. } => {
                let flags = if *new { exclusive } else { CREATE };
                (RequestKind::CreateHelper, nfcth::MSG_NEW, flags)
            }
            Self::Get(_) => (RequestKind::GetHelper, nfcth::MSG_GET, ACK),
            Self::Delete(_) => (RequestKind::DeleteHelper, nfcth::MSG_DEL, ACK),
            Self::Flush => (RequestKind::FlushHelpers, nfcth::MSG_DEL, ACK),
            Self::List => (RequestKind::ListHelpers, nfcth::MSG_GET, DUMP),
        }
    }

    fn append(&self, to: &mut Builder<'_>) {
        match self {
            Self::Set { helper, .. } => wire::build(to, helper),
            Self::Get(helper) | Self::Delete(helper) => {
                let mut key = Helper::default();
                key.set_name(helper.name());
                for number in [Number::L3Proto, Number::L4Proto] {
                    if let Some(value) = helper.get(number) {
                        key.set(number, value);
                    }
                }
                wire::build(to, &key);
            }
            Self::Flush | Self::List => {}
        }
    }
}

impl Ask for Request<'_> {
    fn kind(&self) -> RequestKind {
        self.header().0
    }

    fn is_dump(&self) -> bool {
        matches!(self, Self::List)
    }

    fn build(&self, buffer: &mut [u8], seq: u32) -> Result<usize, Error> {
        let (_, number, flags) = self.header();
        let mut to = Builder::message(buffer, Header::of(nfcth::SUBSYS, number, flags, seq));
        self.append(&mut to);
        Ok(to.finish()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(request: &Request<'_>) -> Vec<u8> {
        let mut buffer = [0; 512];
        let length = request.build(&mut buffer, 7).unwrap();
        buffer[..length].to_vec()
    }

    #[test]
    fn a_helper_is_named_by_name_and_protocols_alone() {
        let mut helper = Helper::default();
        helper.set_name(b"ftp");
        helper.set(Number::L3Proto, 2);
        helper.set(Number::L4Proto, 6);
        helper.set(Number::Queue, 5);
        let (get, set) = (Request::Get(&helper), Request::Set { helper: &helper, new: true });
        assert_eq!((built(&get).len(), built(&set).len()), (20 + 8 + 20, 20 + 8 + 8 + 20));
        assert_eq!((get.kind(), get.is_dump()), (RequestKind::GetHelper, false));
        let head = [0x902_u16.to_ne_bytes(), 5_u16.to_ne_bytes()].concat();
        assert_eq!(built(&Request::Flush)[4..8], head);
        assert!(Request::List.is_dump());
    }
}
