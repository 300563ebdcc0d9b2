//! What the requests of the flow table ask of the kernel.
#![forbid(unsafe_code)]

use crate::connection::Ask;
use crate::conntrack::wire::query::{Query, Request};
use crate::error::{Error, RequestKind};
use crate::uapi::cta;

impl Ask for Request<'_> {
    fn kind(&self) -> RequestKind {
        kind(self)
    }

    fn is_dump(&self) -> bool {
        self.query().is_dump()
    }

    fn build(&self, buffer: &mut [u8], seq: u32) -> Result<usize, Error> {
        Ok(Request::build(self, buffer, seq)?)
    }
}

/// What a request asks of the kernel.
pub(crate) fn kind(request: &Request<'_>) -> RequestKind {
    if matches!(request, Request::Statistics(_)) {
        return RequestKind::Statistics;
    }
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
