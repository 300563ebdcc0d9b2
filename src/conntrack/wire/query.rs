//! The requests: which message each query is, and with what it is filled.
#![forbid(unsafe_code)]

use super::{encode, expect, expectation, flow};
use crate::conntrack::change::Changes;
use crate::conntrack::error::Error;
use crate::conntrack::expectation::create::NewExpectation;
use crate::conntrack::expectation::key::ExpectationKey;
use crate::conntrack::filter::dump::DumpFilter;
use crate::conntrack::flow::Flow;
use crate::conntrack::key::Key;
use crate::conntrack::new_flow::NewFlow;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::object::expectation::Expect;
use crate::netlink::builder::{ACK, Builder, CREATE, DUMP, Header};
use crate::uapi::cta;

pub use crate::netlink::builder::REQUEST_SIZE;

/// A query, numbered as `enum nf_conntrack_query` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Query {
    /// Creates an entry, which must not exist.
    Create = 0,
    /// Changes an entry, which must exist.
    Update = 1,
    /// Deletes an entry.
    Destroy = 2,
    /// Asks for one entry.
    Get = 3,
    /// Deletes all entries.
    Flush = 4,
    /// Asks for all entries.
    Dump = 5,
    /// Asks for all entries and sets their counters to zero.
    DumpReset = 6,
    /// Creates an entry or changes it.
    CreateUpdate = 7,
    /// Asks for the entries that a filter selects.
    DumpFilter = 8,
    /// As `DumpFilter`, and sets their counters to zero.
    DumpFilterReset = 9,
    /// Deletes the entries that a filter selects.
    FlushFilter = 10,
}

/// What a query is filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// A conntrack entry or an expectation.
    Object,
    /// An address family.
    Family,
    /// A dump filter.
    Filter,
}

/// Query, message number, flags, filling, and whether it is defined for expectations too.
const TABLE: [(Query, u8, u16, Fill, bool); 11] = [
    (Query::Create, cta::MSG_NEW, CREATE | libc::NLM_F_EXCL as u16, Fill::Object, true),
    (Query::Update, cta::MSG_NEW, ACK, Fill::Object, false),
    (Query::Destroy, cta::MSG_DELETE, ACK, Fill::Object, true),
    (Query::Get, cta::MSG_GET, ACK, Fill::Object, true),
    (Query::Flush, cta::MSG_DELETE, ACK, Fill::Family, true),
    (Query::Dump, cta::MSG_GET, DUMP, Fill::Family, true),
    (Query::DumpReset, cta::MSG_GET_CTRZERO, DUMP, Fill::Family, false),
    (Query::CreateUpdate, cta::MSG_NEW, CREATE, Fill::Object, true),
    (Query::DumpFilter, cta::MSG_GET, DUMP, Fill::Filter, false),
    (Query::DumpFilterReset, cta::MSG_GET_CTRZERO, DUMP, Fill::Filter, false),
    (Query::FlushFilter, cta::MSG_DELETE, ACK, Fill::Filter, false),
];

impl TryFrom<u32> for Query {
    type Error = Error;

    fn try_from(number: u32) -> Result<Self, Error> {
        TABLE.get(number as usize).map(|row| row.0).ok_or(Error::UnknownQuery(number))
    }
}

impl Query {
    #[allow(clippy::indexing_slicing, reason = "the table has a row for each query")]
    fn row(self) -> (u8, u16, Fill, bool) {
        let (_, number, flags, fill, expectations) = TABLE[self as usize];
        (number, flags, fill, expectations)
    }

    /// What the query is filled with.
    #[must_use]
    pub fn fill(self) -> Fill {
        self.row().2
    }

    /// Whether the answer ends with an end marker in place of an acknowledgement.
    #[must_use]
    pub fn is_dump(self) -> bool {
        // Two bits, one of which also means NLM_F_EXCL of a request to create.
        let dump = libc::NLM_F_DUMP as u16;
        self.row().1 & dump == dump
    }

    /// The query, if it is defined for expectations.
    ///
    /// # Errors
    /// [`Error::UnknownQuery`].
    pub fn for_expectations(self) -> Result<Self, Error> {
        if self.row().3 { Ok(self) } else { Err(Error::UnknownQuery(self as u32)) }
    }

    fn header(self, subsystem: u8, family: u8, seq: u32) -> Header {
        let (number, flags, ..) = self.row();
        Header {
            family,
            // The kernel honours the family of a flush only in a message of version 1.
            version: u8::from(self == Self::FlushFilter),
            ..Header::of(subsystem, number, flags, seq)
        }
    }
}

/// A request before it is built: a query and its filling.
#[derive(Debug, Clone, Copy)]
pub enum Request<'a> {
    /// About one entry.
    Entry(Query, &'a Conntrack),
    /// For the flow with this key.
    Get(&'a Key),
    /// To delete the flow with this key, if it still has that id.
    Delete(&'a Key),
    /// To change the flow with this key, which has this status.
    Update(&'a Key, &'a Changes, u32),
    /// To change the flow with this key to what an object says: all but tuples and zone, and the
    /// status as it is given here.
    Change(&'a Key, &'a Conntrack, Option<u32>),
    /// To create a flow.
    Create(&'a NewFlow),
    /// To create a flow again that the kernel handed out.
    Restore(&'a Flow),
    /// About one expectation.
    Expectation(Query, &'a Expect),
    /// For the expectation with this key.
    GetExpectation(&'a ExpectationKey),
    /// To delete the expectation with this key, if it still has that id.
    DeleteExpectation(&'a ExpectationKey),
    /// To create an expectation.
    CreateExpectation(&'a NewExpectation),
    /// About all entries of an address family; 0 is all families. A flush ignores it.
    Entries(Query, u8),
    /// About all expectations of an address family; 0 is all families.
    Expectations(Query, u8),
    /// About the entries that a filter selects, as programs have always sent it: the kernel does
    /// not compare all of it right.
    Filtered(Query, &'a DumpFilter),
    /// The same dump, for entries that are checked again: the answer has all that the filter accepts,
    /// and maybe more. Counters are set to zero only where there is no more.
    Narrowed(Query, &'a DumpFilter),
    /// Asks for an entry that the kernel handed out.
    HandedOut(HandedOut<'a>),
    /// About all entries that have ended while somebody is still to be told so.
    Dying,
    /// For statistics.
    Statistics(Statistics),
}

/// Statistics of a network namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistics {
    /// Of the flow table.
    Table,
    /// Of each CPU.
    Cpus,
    /// Of each CPU, about expectations.
    Expectations,
}

/// An entry as the kernel handed it out, to ask for it again.
#[derive(Debug, Clone, Copy)]
pub struct HandedOut<'a> {
    /// The entry.
    pub ct: &'a Conntrack,
    /// Whether its reply tuple names it, or the original one. Where zones of one direction are in
    /// use, a tuple can also be another entry's of the other direction.
    pub by_reply: bool,
    /// Whether its counters are set to zero.
    pub zero: bool,
}

impl Request<'_> {
    /// The request as it is sent where its answer is checked again.
    #[must_use]
    pub fn narrowed(self) -> Self {
        match self {
            Self::Filtered(query, filter) if query.is_dump() => Self::Narrowed(query, filter),
            other => other,
        }
    }

    /// The query.
    #[must_use]
    pub fn query(&self) -> Query {
        match *self {
            Self::Entry(query, _)
            | Self::Expectation(query, _)
            | Self::Entries(query, _)
            | Self::Expectations(query, _)
            | Self::Filtered(query, _) => query,
            Self::Narrowed(..) if self.zeroes_one_by_one() => Query::DumpFilter,
            Self::Narrowed(query, _) => query,
            Self::HandedOut(_) | Self::Get(_) | Self::GetExpectation(_) => Query::Get,
            Self::Statistics(Statistics::Table) => Query::Get,
            // Without the flags of a dump the kernel answers nothing.
            Self::Statistics(_) | Self::Dying => Query::Dump,
            Self::Delete(_) | Self::DeleteExpectation(_) => Query::Destroy,
            Self::Update(..) | Self::Change(..) => Query::Update,
            Self::Create(_) | Self::Restore(_) | Self::CreateExpectation(_) => Query::Create,
        }
    }

    /// Whether the entries of this dump are to be set to zero each by a request of its own, as the
    /// kernel would do it to others too.
    #[must_use]
    pub fn zeroes_one_by_one(&self) -> bool {
        matches!(self, Self::Narrowed(Query::DumpFilterReset, filter) if !filter.is_exact())
    }

    /// Builds the message at the start of `buffer`, with the number `seq`, and returns its length.
    ///
    /// # Errors
    /// [`Error::NoFamily`], [`Error::BadFamily`]: the kernel would take the request for one about
    /// all entries, or not at all. [`Error::FamilyConflict`], [`Error::TupleInFlush`],
    /// [`crate::netlink::Error::TooLong`].
    pub fn build(&self, buffer: &mut [u8], seq: u32) -> Result<usize, Error> {
        let family = match *self {
            Self::Entry(_, ct) | Self::HandedOut(HandedOut { ct, .. }) => ct.flat.orig.l3proto,
            Self::Get(key) | Self::Delete(key) | Self::Update(key, ..) | Self::Change(key, ..) => {
                flow::family(key)?
            }
            Self::Create(new) => flow::family(&new.into())?,
            Self::Restore(seen) => flow::family(&seen.key())?,
            Self::Expectation(_, expect) => expect::family(expect)?,
            Self::GetExpectation(key) | Self::DeleteExpectation(key) => expectation::family(key)?,
            Self::CreateExpectation(new) => expectation::family(&new.into())?,
            Self::Entries(_, family) | Self::Expectations(_, family) => family,
            Self::Filtered(..) | Self::Narrowed(..) | Self::Dying | Self::Statistics(_) => 0,
        };
        let subsystem = self.subsystem();
        let mut header = self.query().header(subsystem, family, seq);
        if let Some(number) = self.number() {
            header.kind = u16::from(subsystem) << 8 | u16::from(number);
        }
        let mut builder = Builder::message(buffer, header);
        self.append(&mut builder)?;
        Ok(builder.finish()?)
    }

    /// The number of the message, where it is another than its query's.
    fn number(&self) -> Option<u8> {
        match self {
            Self::HandedOut(HandedOut { zero: true, .. }) => Some(cta::MSG_GET_CTRZERO),
            Self::Dying => Some(cta::MSG_GET_DYING),
            Self::Statistics(Statistics::Table) => Some(cta::MSG_GET_STATS),
            Self::Statistics(Statistics::Cpus) => Some(cta::MSG_GET_STATS_CPU),
            Self::Statistics(Statistics::Expectations) => Some(cta::MSG_EXP_GET_STATS_CPU),
            _ => None,
        }
    }

    /// The subsystem that is asked.
    #[must_use]
    pub fn subsystem(&self) -> u8 {
        match *self {
            Self::Expectation(..)
            | Self::Expectations(..)
            | Self::GetExpectation(_)
            | Self::DeleteExpectation(_)
            | Self::CreateExpectation(_)
            | Self::Statistics(Statistics::Expectations) => cta::SUBSYS_EXP,
            _ => cta::SUBSYS_CT,
        }
    }

    fn append(&self, to: &mut Builder<'_>) -> Result<(), Error> {
        match *self {
            Self::Entry(_, ct) => encode::conntrack(to, ct),
            Self::Get(key) => flow::key(to, key, false),
            Self::Delete(key) => flow::key(to, key, true),
            Self::Update(key, changes, status) => flow::changes(to, key, changes, status),
            Self::Change(key, ct, status) => flow::change(to, key, ct, status),
            Self::Create(new) => flow::create(to, new),
            Self::Restore(seen) => flow::restore(to, seen),
            Self::Expectation(query, object) => {
                if query == Query::Destroy {
                    expect::check_deletable(object)?;
                }
                expect::encode(to, object);
                Ok(())
            }
            Self::GetExpectation(key) => expectation::key(to, key, false),
            Self::DeleteExpectation(key) => expectation::key(to, key, true),
            Self::CreateExpectation(new) => expectation::create(to, new),
            Self::Entries(..) | Self::Expectations(..) | Self::Dying | Self::Statistics(_) => {
                Ok(())
            }
            Self::HandedOut(HandedOut { ct, by_reply, .. }) => encode::name(to, ct, by_reply),
            Self::Filtered(Query::FlushFilter, filter) if filter.tuple().is_some() => {
                Err(Error::TupleInFlush)
            }
            Self::Filtered(_, filter) => encode::dump_filter(to, filter),
            Self::Narrowed(_, filter) => encode::narrowing_filter(to, filter),
        }
    }
}
