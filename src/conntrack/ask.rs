//! A request to the kernel and its answer.
#![forbid(unsafe_code)]

use crate::conntrack::wire::query::{Query, REQUEST_SIZE, Request};
use crate::error::{Error, ErrorKind, RequestKind};
use crate::netlink::exchange::Exchange;
use crate::netlink::message::Message;
use crate::netlink::receiver::Receiver;
use crate::uapi::cta;

/// What a request asks of the kernel.
pub(super) fn kind(request: &Request<'_>) -> RequestKind {
    let expectations = request.subsystem() == cta::SUBSYS_EXP;
    let [of_flows, of_expectations] = match request.query() {
        Query::Create | Query::CreateUpdate => {
            [RequestKind::Create, RequestKind::CreateExpectation]
        }
        Query::Update => [RequestKind::Update, RequestKind::CreateExpectation],
        Query::Destroy => [RequestKind::Delete, RequestKind::DeleteExpectation],
        Query::Get => [RequestKind::Get, RequestKind::GetExpectation],
        Query::Flush | Query::FlushFilter => [RequestKind::Flush, RequestKind::FlushExpectations],
        Query::Dump | Query::DumpReset | Query::DumpFilter | Query::DumpFilterReset => {
            [RequestKind::List, RequestKind::ListExpectations]
        }
    };
    if expectations { of_expectations } else { of_flows }
}

/// Begins a query.
pub(super) fn send(exchange: &mut Exchange, request: &Request<'_>) -> Result<Receiver, Error> {
    let mut buffer = [0; REQUEST_SIZE];
    let built = request.build(&mut buffer, exchange.next_seq());
    let sent = built.map_err(Error::from).and_then(|length| {
        let bytes = buffer.get(..length).unwrap_or_default();
        Ok(exchange.query(bytes, request.query().is_dump())?)
    });
    sent.map_err(|error| error.of(kind(request)))
}

/// Sends a request, and hands out the messages of its answer.
pub(super) fn ask(
    exchange: &mut Exchange,
    request: &Request<'_>,
    take: &mut dyn FnMut(&Message<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut receiver = send(exchange, request)?;
    let mut next = || match exchange.next(&mut receiver)? {
        Some(message) => take(&message).map(|()| true),
        None => Ok(false),
    };
    while next().map_err(|error: Error| error.of(kind(request)))? {}
    Ok(())
}

/// Whether it is an error of this kind.
pub(super) fn is(result: &Result<(), Error>, kind: ErrorKind) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == kind)
}
