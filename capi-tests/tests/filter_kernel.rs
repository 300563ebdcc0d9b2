//! The kernel takes the programs of event filters and gives the verdicts they should: each program
//! is attached to a `NETLINK_USERSOCK` socket, each message is sent to it, and it arrives or not.
//!
//! The messages are those of a little-endian machine.
#![cfg(target_endian = "little")]

mod filter;

use capi_tests::{in_namespace, skip};
use ctrs::netlink::bpf::Instruction;
use serde_json::json;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// A netlink socket for messages between processes.
struct Socket {
    fd: OwnedFd,
    address: libc::sockaddr_nl,
}

/// The length of a socket address or option for a system call.
fn length_of<T>() -> libc::socklen_t {
    size_of::<T>() as libc::socklen_t
}

fn checked(result: isize) -> io::Result<isize> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

impl Socket {
    fn open() -> io::Result<Self> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: no pointers are passed.
        let fd = unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_USERSOCK) };
        checked(fd as isize)?;
        // SAFETY: `socket` just returned this descriptor and nobody else has it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: all zero bytes are a valid address of no family.
        let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
        address.nl_family = libc::AF_NETLINK as u16;
        let mut length = length_of::<libc::sockaddr_nl>();
        // SAFETY: `address` is a live `sockaddr_nl` of `length` bytes.
        checked(
            unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), length) } as isize
        )?;
        let name = (&raw mut address).cast();
        // SAFETY: as above, and the kernel writes no more than `length` bytes.
        checked(unsafe { libc::getsockname(fd.as_raw_fd(), name, &raw mut length) } as isize)?;
        Ok(Self { fd, address })
    }

    /// Attaches a program, or says that this machine has no room for one so long.
    fn takes(&self, program: &[Instruction]) -> bool {
        let result = self.attach(program);
        if let Err(error) = &result {
            assert_eq!(error.raw_os_error(), Some(libc::ENOMEM), "{error}");
            skip(&format!("net.core.optmem_max is too low for {} instructions", program.len()));
        }
        result.is_ok()
    }

    fn attach(&self, program: &[Instruction]) -> io::Result<()> {
        let filter = libc::sock_fprog {
            len: program.len().try_into().unwrap(),
            filter: program.as_ptr().cast_mut().cast(),
        };
        // SAFETY: `filter` points to `len` instructions laid out as `sock_filter`, which the kernel
        // only reads.
        let result = unsafe {
            libc::setsockopt(
                self.fd.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_ATTACH_FILTER,
                (&raw const filter).cast(),
                length_of::<libc::sock_fprog>(),
            )
        };
        checked(result as isize).map(drop)
    }

    /// Sends a datagram; the filter of `to` has run when this returns.
    fn send(&self, to: &Self, data: &[u8]) {
        // SAFETY: `data` and the address are live for the lengths given.
        let result = unsafe {
            libc::sendto(
                self.fd.as_raw_fd(),
                data.as_ptr().cast(),
                data.len(),
                0,
                (&raw const to.address).cast(),
                length_of::<libc::sockaddr_nl>(),
            )
        };
        assert_eq!(checked(result).unwrap(), data.len() as isize);
    }

    /// The datagram that waits, if one does.
    fn receive(&self) -> Option<Vec<u8>> {
        let mut data = vec![0; 4096];
        let fd = self.fd.as_raw_fd();
        // SAFETY: `data` is writable for the length given.
        let result = unsafe { libc::recv(fd, data.as_mut_ptr().cast(), data.len(), 0) };
        match checked(result) {
            Ok(length) => {
                data.truncate(length as usize);
                Some(data)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => panic!("recv: {error}"),
        }
    }
}

#[test]
fn kernel_agrees_with_the_goldens() {
    in_namespace(|| {
        let (sender, receiver) = (Socket::open().unwrap(), Socket::open().unwrap());
        let (messages, cases) = filter::goldens();
        let mut checked = 0;
        for (case, _) in cases {
            receiver.attach(&filter::build(&case.ops).program().unwrap()).unwrap();
            for (message, verdict) in messages.iter().zip(&case.verdicts) {
                sender.send(&receiver, &message.bytes);
                let got = receiver.receive();
                let Some(verdict) = *verdict else { continue };
                let expected = verdict.then_some(&message.bytes);
                assert_eq!(got.as_ref(), expected, "{:?}, {:?}", case.desc, message.desc);
                checked += 1;
            }
        }
        assert_eq!(checked, 17274);
    });
}

#[test]
fn kernel_takes_full_filters() {
    in_namespace(|| {
        let (sender, receiver) = (Socket::open().unwrap(), Socket::open().unwrap());
        let messages = filter::goldens().0;
        for case in filter::maximal(126, false).iter().chain(&filter::maximal(60, true)) {
            let program = filter::build(&case.ops).program().unwrap();
            if !receiver.takes(&program) {
                return;
            }
            for message in messages.iter().filter(|message| !message.malformed) {
                sender.send(&receiver, &message.bytes);
                let accepted = receiver.receive().is_some();
                let expected = filter::intended(&case.ops, &message.bytes);
                assert_eq!(accepted, expected, "{}, {:?}", case.desc, message.desc);
            }
        }
    });
}

#[test]
fn kernel_takes_the_longest_programs() {
    in_namespace(|| {
        let (sender, receiver) = (Socket::open().unwrap(), Socket::open().unwrap());
        let messages = filter::goldens().0;
        for (attr, value) in [("MARK", json!([1, u32::MAX])), ("ZONE", json!(5))] {
            let other = |n: u32| match attr {
                "MARK" => json!(["add", attr, [0x1_0000 + n, u32::MAX]]),
                _ => json!(["add", attr, 1000 + n]),
            };
            let all: Vec<_> = (0..5000).map(other).collect();
            let length = |n: usize| filter::build(&all[..n]).program().map(|program| program.len());
            let most = (4000..5000).take_while(|n| length(*n).is_ok()).last().unwrap();
            assert_eq!(length(most + 1), Err(ctrs::netlink::Error::ProgramTooLong(4097)));
            for (at, logic) in [(0, 0), (most / 2, 0), (most - 1, 0), (most - 1, 1)] {
                let mut ops = all[..most].to_vec();
                ops[at] = json!(["add", attr, value]);
                ops.push(json!(["logic", attr, logic]));
                let program = filter::build(&ops).program().unwrap();
                assert!((4090..=4096).contains(&program.len()));
                if !receiver.takes(&program) {
                    return;
                }
                let mut accepted = 0;
                for message in messages.iter().filter(|message| !message.malformed) {
                    sender.send(&receiver, &message.bytes);
                    let got = receiver.receive().is_some();
                    assert_eq!(got, filter::intended(&ops, &message.bytes), "{}", message.desc);
                    accepted += usize::from(got && message.bytes[5] == 1);
                }
                assert!(accepted > 0 && accepted < messages.len() - 10, "{attr}: {accepted}");
            }
        }
    });
}
