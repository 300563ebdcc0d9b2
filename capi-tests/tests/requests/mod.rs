//! Requests of which each has one fault, asked of the running kernel.
#![allow(dead_code, reason = "each test program uses some")]

use ctrs::error::asked::Asked;
use ctrs::netlink::builder::{Builder, Header};
use ctrs::netlink::exchange::Exchange;
use ctrs::netlink::socket::Socket;
use ctrs::uapi::cta;
use ctrs::{Error, RequestKind};

/// A request: what it asks, and its attributes in order.
pub struct Asks {
    pub kind: RequestKind,
    pub family: u8,
    pub attributes: Vec<(u16, Vec<u8>)>,
}

pub fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = ((4 + value.len()) as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

pub fn be32(value: u32) -> Vec<u8> {
    value.to_be_bytes().to_vec()
}

pub fn nest(members: &[(u16, Vec<u8>)]) -> Vec<u8> {
    members.iter().flat_map(|(kind, value)| attribute(*kind, value)).collect()
}

/// A tuple of IPv4.
pub fn tuple(protocol: u8, from: u8, to: u8, members: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let address = |last| vec![10, 9, 0, last];
    let addresses = nest(&[(cta::IP_V4_SRC, address(from)), (cta::IP_V4_DST, address(to))]);
    let mut parts = vec![(cta::PROTO_NUM, vec![protocol])];
    parts.extend_from_slice(members);
    nest(&[(cta::TUPLE_IP, addresses), (cta::TUPLE_PROTO, nest(&parts))])
}

pub fn ports(from: u16, to: u16) -> [(u16, Vec<u8>); 2] {
    [
        (cta::PROTO_SRC_PORT, from.to_be_bytes().to_vec()),
        (cta::PROTO_DST_PORT, to.to_be_bytes().to_vec()),
    ]
}

pub const UDP: u8 = 17;

impl Asks {
    /// For the flow of that port, in the state of its protocol.
    pub fn of(kind: RequestKind, protocol: u8, port: u16) -> Self {
        let attributes = vec![
            (cta::TUPLE_ORIG, tuple(protocol, 1, 2, &ports(port, 53))),
            (cta::TUPLE_REPLY, tuple(protocol, 2, 1, &ports(53, port))),
        ];
        let asks = Self { kind, family: 2, attributes };
        if kind == RequestKind::Create { asks.with(cta::TIMEOUT, be32(100)) } else { asks }
    }

    pub fn create(port: u16) -> Self {
        Self::of(RequestKind::Create, UDP, port)
    }

    pub fn update(port: u16) -> Self {
        Self::of(RequestKind::Update, UDP, port)
    }

    pub fn bare(kind: RequestKind) -> Self {
        Self { kind, family: 0, attributes: Vec::new() }
    }

    /// The same with an attribute, in place of one of its number.
    pub fn with(mut self, kind: u16, value: Vec<u8>) -> Self {
        self = self.without(kind);
        self.attributes.push((kind, value));
        self
    }

    pub fn without(mut self, kind: u16) -> Self {
        self.attributes.retain(|(other, _)| *other != kind);
        self
    }

    pub fn build(&self, seq: u32) -> Vec<u8> {
        use RequestKind as Of;
        let flag = |flag: libc::c_int| flag as u16;
        let (number, flags) = match self.kind {
            Of::Create | Of::CreateExpectation => {
                (0, flag(libc::NLM_F_CREATE | libc::NLM_F_EXCL | libc::NLM_F_ACK))
            }
            Of::Update => (0, flag(libc::NLM_F_ACK)),
            Of::Get | Of::GetExpectation => (1, flag(libc::NLM_F_ACK)),
            Of::List | Of::ListExpectations => (1, flag(libc::NLM_F_DUMP)),
            _ => (2, flag(libc::NLM_F_ACK)),
        };
        let expectation =
            matches!(self.kind, Of::CreateExpectation | Of::GetExpectation | Of::DeleteExpectation);
        let subsystem = if expectation { cta::SUBSYS_EXP } else { cta::SUBSYS_CT };
        let kind = u16::from(subsystem) << 8 | number;
        let flags = flags | flag(libc::NLM_F_REQUEST);
        let mut buffer = [0; 2048];
        let header = Header { kind, flags, seq, family: self.family, ..Header::default() };
        let mut builder = Builder::message(&mut buffer, header);
        for (kind, value) in &self.attributes {
            builder.put(*kind, value);
        }
        let length = builder.finish().unwrap();
        buffer[..length].to_vec()
    }
}

/// A socket on which the kernel says what is wrong.
pub fn connect() -> Exchange {
    let socket = Socket::open().unwrap();
    for option in [10, 11] {
        let on: libc::c_int = 1;
        // SAFETY: the option is a number of the size given, alive during the call.
        let set = unsafe {
            let size = size_of_val(&on) as libc::socklen_t;
            libc::setsockopt(socket.fd(), libc::SOL_NETLINK, option, (&raw const on).cast(), size)
        };
        assert_eq!(set, 0);
    }
    Exchange::new(socket, 0)
}

pub fn ask(exchange: &mut Exchange, asks: &Asks) -> Result<(), Error> {
    let request = asks.build(exchange.next_seq());
    let mut receiver = exchange.query(&request, asks.kind == RequestKind::List).unwrap();
    loop {
        match exchange.next(&mut receiver) {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(()),
            Err(error) => {
                let (said, socket) = (exchange.said(), exchange.socket());
                let asked = Asked { request: &request, said, socket: Some(socket) };
                return Err(Error::from(error).explained(asks.kind, &asked));
            }
        }
    }
}

/// A refusal: the request, its `errno`, the attribute to blame, and words of the sentence.
pub type Row<'a> = (Asks, i32, Option<&'a str>, &'a str);

/// Each request is refused, and the error is told as the row says.
pub fn refused(exchange: &mut Exchange, rows: &[Row<'_>]) {
    for (asks, errno, attribute, words) in rows {
        let error = ask(exchange, asks).expect_err(words);
        let text = error.to_string();
        assert_eq!((error.errno(), error.attribute()), (Some(*errno), *attribute), "{text}");
        assert!(text.contains(words), "{words}: {text}");
        let asked = format!("cannot {}: ", asks.kind);
        let end = format!("(errno {errno})");
        assert!(text.starts_with(&asked) && text.ends_with(&end), "{text}");
        println!("{text}");
    }
}
