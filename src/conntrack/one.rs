//! One flow: asked for, created, changed, deleted, and what became of it.
#![forbid(unsafe_code)]

use crate::connection::{Connection, is};
use crate::conntrack::batch::Batch;
use crate::conntrack::change::Changes;
use crate::conntrack::key::Key;
use crate::conntrack::object::attr::Attr;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::object::status::Status;
use crate::conntrack::wire::decode;
use crate::conntrack::wire::query::{Query, Request};
use crate::error::{Error, ErrorKind, RequestKind};
use crate::invalid::Invalid;
use crate::netlink;

/// How often a flow may change between two requests before that is an error.
const RACES: u32 = 8;

/// Status bits that an update can set. The kernel clears none; of the others it refuses some and
/// ignores some.
const SETTABLE: Status = Status::SEEN_REPLY
    .union(Status::ASSURED)
    .union(Status::CONFIRMED)
    .union(Status::FIXED_TIMEOUT)
    .union(Status::HELPER);

/// What an update changes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Update<'a> {
    /// What a Rust program says.
    Changes(&'a Changes),
    /// What an object has beside its tuples and zone.
    #[cfg(feature = "capi")]
    Object(&'a Conntrack),
}

impl<'a> Update<'a> {
    /// Status bits to be set beside those that the flow has.
    fn status(&self) -> Status {
        Status::from_bits_retain(match self {
            Self::Changes(changes) => changes.status_bits(),
            #[cfg(feature = "capi")]
            Self::Object(ct) if ct.has(Attr::Status) => ct.flat.status,
            #[cfg(feature = "capi")]
            Self::Object(_) => 0,
        })
    }

    /// The request, of a flow that has this status.
    fn request(&self, key: &'a Key, status: Status) -> Request<'a> {
        match *self {
            Self::Changes(changes) => Request::Update(key, changes, status.bits()),
            #[cfg(feature = "capi")]
            Self::Object(ct) => {
                let status = status | self.status();
                Request::Change(key, ct, ct.has(Attr::Status).then_some(status.bits()))
            }
        }
    }
}

impl Connection {
    /// Reads the flow with this key into `ct`, in place of what that holds.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`]: there is none, or it is not the one that was seen.
    pub(crate) fn get(&mut self, key: &Key, ct: &mut Conntrack) -> Result<(), Error> {
        let mut seen = Conntrack::new();
        self.ask(&Request::Get(key), &mut |message| {
            Ok(decode::as_far_as_possible(&mut seen, message)?)
        })?;
        if key.id.is_some_and(|id| !seen.has(Attr::Id) || id.0 != seen.flat.id) {
            return Err(gone(RequestKind::Get));
        }
        *ct = seen;
        Ok(())
    }

    /// Does a request that creates, changes or deletes the flow with this key. What becomes of it is
    /// put into `into`, in place of what that holds: the flow as the kernel returns it, or where the
    /// kernel returns nothing, as a get right after tells it, or right before it is deleted; nothing
    /// if it was gone by then. Whether it was the kernel that returned it.
    ///
    /// # Errors
    /// What the kernel refuses; `into` is as it was.
    pub(crate) fn change(
        &mut self,
        request: &Request<'_>,
        key: &Key,
        into: Option<&mut Conntrack>,
    ) -> Result<bool, Error> {
        let Some(into) = into else {
            return self.ask(request, &mut |_| Ok(())).map(|()| true);
        };
        let mut batch = Batch::new();
        let before = request.query() == Query::Destroy;
        if before {
            batch.get(key)?;
        }
        batch.returning(true);
        let index = batch.add(request)?;
        self.run(&mut batch)?;
        if batch.result_into(index, into, Some(self.socket())).unwrap_or(Ok(false))? {
            return Ok(true);
        }
        let found = match batch.result_into(0, into, None) {
            Some(found) if before => found.map(drop),
            _ => self.get(&key.any_life(), into),
        };
        if is(&found, ErrorKind::NotFound) {
            into.reset();
            return Ok(false);
        }
        found.map(|()| false)
    }

    /// Changes the flow with this key; `into` as for [`change`](Self::change).
    ///
    /// The kernel looks at no id, and takes a status only whole: what the flow is is asked for first
    /// where that matters.
    ///
    /// # Errors
    /// As for [`change`](Self::change); [`Invalid::Status`].
    pub(crate) fn update(
        &mut self,
        key: &Key,
        update: Update<'_>,
        mut into: Option<&mut Conntrack>,
    ) -> Result<bool, Error> {
        let wanted = update.status();
        let mut updated = Ok(true);
        for _ in 0..RACES {
            let mut seen = Conntrack::new();
            if !wanted.is_empty() || key.id.is_some() {
                self.get(key, &mut seen).map_err(|error| error.of(RequestKind::Update))?;
            }
            let status = Status::from_bits_retain(seen.flat.status);
            if !SETTABLE.contains(wanted.difference(status)) {
                return Err(Error::from(Invalid::Status).of(RequestKind::Update));
            }
            updated = self.change(&update.request(key, status), key, into.as_deref_mut());
            // The kernel takes no status that lacks a bit set meanwhile.
            if wanted.is_empty() || !is(&updated, ErrorKind::Busy) {
                break;
            }
        }
        updated
    }
}

/// The flow is not there, or not the one that was seen.
fn gone(request: RequestKind) -> Error {
    Error::from(netlink::Error::Refused(libc::ENOENT)).of(request)
}
