//! The ids by which a network namespace knows others, which rtnetlink tells.
#![forbid(unsafe_code)]

use super::builder::{Builder, DUMP, Header, REQUEST};
use super::error::Error;
use super::message::{Attributes, HEADER_SIZE, Message, Messages};
use super::socket::Socket;
use std::os::fd::{AsRawFd, BorrowedFd};

/// `linux/rtnetlink.h`: a namespace's id is told, or asked for. Its header has four bytes, as that of
/// netfilter.
const NEWNSID: u16 = 88;
const GETNSID: u16 = 90;
/// What the request is called where it fails as a whole.
pub(crate) const RTM_GETNSID: &str = "RTM_GETNSID";
/// `linux/net_namespace.h`: the attributes of both.
const NETNSA_NSID: u16 = 1;
const NETNSA_FD: u16 = 3;

/// The kernel fills no more at once for a socket that never received more.
const ROOM: usize = 8192;

/// Asks for ids in the network namespace of the thread that opens it.
#[derive(Debug)]
pub(crate) struct Ids(Socket);

impl Ids {
    /// # Errors
    /// [`Error::System`], as `EMFILE`.
    pub fn open() -> Result<Self, Error> {
        Socket::open_route().map(Self)
    }

    /// The id of the namespace that a file stands for; `None` if it has none.
    ///
    /// # Errors
    /// [`Error::Refused`] where the file is of no network namespace. [`Error::System`] with
    /// `EOPNOTSUPP` before Linux 4.0.
    pub fn of(&self, namespace: BorrowedFd<'_>) -> Result<Option<i32>, Error> {
        let mut id = None;
        self.ask(REQUEST, Some(namespace), &mut |told| {
            id = Some(told);
            Ok(())
        })?;
        Ok(id)
    }

    /// All ids that there are.
    ///
    /// # Errors
    /// As [`of`](Self::of); what `each` fails with.
    pub fn each(&self, each: &mut dyn FnMut(i32) -> Result<(), Error>) -> Result<(), Error> {
        self.ask(DUMP, None, each)
    }

    fn ask(
        &self,
        flags: u16,
        of: Option<BorrowedFd<'_>>,
        each: &mut dyn FnMut(i32) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut request = [0; 32];
        let header = Header { kind: GETNSID, flags, seq: 1, ..Header::default() };
        let mut builder = Builder::message(&mut request, header);
        of.iter().for_each(|fd| builder.put_host32(NETNSA_FD, fd.as_raw_fd() as u32));
        let length = builder.finish()?;
        self.0.send(request.get(..length).unwrap_or_default())?;
        let mut datagram = Vec::new();
        datagram.try_reserve_exact(ROOM)?;
        // What is asked for is answered while it is sent, and a list as it is received.
        while self.0.receive(&mut datagram)? {
            if take(&datagram, each)? {
                return Ok(());
            }
        }
        Err(Error::NoMessage)
    }
}

/// Takes in what an answer tells; whether it was the last of them.
fn take(datagram: &[u8], each: &mut dyn FnMut(i32) -> Result<(), Error>) -> Result<bool, Error> {
    const MULTI: u16 = libc::NLM_F_MULTI as u16;
    const ERROR: u16 = libc::NLMSG_ERROR as u16;
    const DONE: u16 = libc::NLMSG_DONE as u16;
    let mut last = false;
    for message in Messages::new(datagram) {
        match message.kind {
            NEWNSID => {
                last |= message.flags & MULTI == 0;
                id(&message).map_or(Ok(()), &mut *each)?;
            }
            DONE => last = true,
            ERROR => {
                let status = number(message.bytes().get(HEADER_SIZE..)).ok_or(Error::BadStatus)?;
                return Err(match status.saturating_neg() {
                    errno @ libc::EOPNOTSUPP => Error::System { call: RTM_GETNSID, errno },
                    errno => Error::Refused(errno),
                });
            }
            _ => {}
        }
    }
    Ok(last)
}

/// The id that an answer tells: -1 says that there is none.
fn id(message: &Message<'_>) -> Option<i32> {
    let mut attributes = Attributes::new(message.attributes());
    let id = attributes.find(|attribute| attribute.kind == NETNSA_NSID)?.value;
    number(Some(id)).filter(|id| *id >= 0)
}

fn number(bytes: Option<&[u8]>) -> Option<i32> {
    bytes?.first_chunk().copied().map(i32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, flags: u16, rest: &[u8]) -> Vec<u8> {
        let length = (HEADER_SIZE + rest.len()) as u32;
        let (kind, flags) = (kind.to_ne_bytes(), flags.to_ne_bytes());
        [&length.to_ne_bytes()[..], &kind, &flags, &[0; 8], rest].concat()
    }

    fn told(id: i32, flags: u16) -> Vec<u8> {
        let mut room = [0; 32];
        let header = Header { kind: NEWNSID, flags, ..Header::default() };
        let mut builder = Builder::message(&mut room, header);
        builder.put_host32(NETNSA_NSID, id as u32);
        let length = builder.finish().unwrap();
        room[..length].to_vec()
    }

    fn taken(datagrams: &[Vec<u8>]) -> (Result<bool, Error>, Vec<i32>) {
        let mut ids = Vec::new();
        let end = take(&datagrams.concat(), &mut |id| {
            ids.push(id);
            Ok(())
        });
        (end, ids)
    }

    #[test]
    fn one_answer_ends_or_a_list_does() {
        let multi = libc::NLM_F_MULTI as u16;
        assert_eq!(taken(&[told(7, 0)]), (Ok(true), vec![7]));
        assert_eq!(taken(&[told(-1, 0)]), (Ok(true), vec![]));
        assert_eq!(taken(&[told(0, multi), told(5, multi)]), (Ok(false), vec![0, 5]));
        let done = message(libc::NLMSG_DONE as u16, multi, &[0; 4]);
        assert_eq!(taken(&[told(5, multi), done]), (Ok(true), vec![5]));
        assert_eq!(taken(&[vec![1; 15]]), (Ok(false), vec![]));
    }

    #[test]
    fn what_is_refused_is_an_error() {
        let error = |rest: &[u8]| taken(&[message(libc::NLMSG_ERROR as u16, 0, rest)]).0;
        assert_eq!(error(&(-libc::EINVAL).to_ne_bytes()), Err(Error::Refused(libc::EINVAL)));
        assert_eq!(error(&i32::MIN.to_ne_bytes()), Err(Error::Refused(i32::MAX)));
        assert_eq!(error(&[0; 3]), Err(Error::BadStatus));
    }
}
