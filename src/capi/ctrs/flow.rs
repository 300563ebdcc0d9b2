//! One flow: asked for, created, changed, deleted, and what became of it.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::call::with_handle;
use crate::capi::conntrack::labelmap;
use crate::capi::conntrack::types::{nf_conntrack, nfct_handle, nfct_labelmap};
use crate::capi::ffi::ptr;
use crate::connection::Connection;
use crate::conntrack::change::Changes;
use crate::conntrack::key::Key;
use crate::conntrack::labels::map::LabelMap;
use crate::conntrack::labels::set::Labels;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::one::Update;
use crate::conntrack::values::{Direction, Id, Mark};
use crate::conntrack::wire::query::{Query, Request};
use crate::error::{Error, Invalid, RequestKind};
use libc::{c_char, c_int};

/// Directions of a flow, where a function or an array asks for one.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_direction {
    /// That of the first packet.
    CTRS_ORIGINAL = 0,
    /// That of the answers.
    CTRS_REPLY = 1,
}

const ORIGINAL: c_int = ctrs_direction::CTRS_ORIGINAL as c_int;
const REPLY: c_int = ctrs_direction::CTRS_REPLY as c_int;

/// The object behind a pointer, or an error that says which was NULL.
///
/// # Safety
/// `ct` is NULL or a live object, which nobody changes while the reference is used.
pub(super) unsafe fn object<'a>(
    ct: *const nf_conntrack,
    sentence: &'static str,
) -> Result<&'a Conntrack, Error> {
    // SAFETY: `ct` is NULL or live, as `shared` asks.
    unsafe { ptr::shared(ct) }.map_err(|_| Invalid::Argument(sentence).into())
}

/// The direction that a program names.
#[inline]
pub(super) fn direction(dir: c_int) -> Result<Direction, Invalid> {
    match dir {
        ORIGINAL => Ok(Direction::Original),
        REPLY => Ok(Direction::Reply),
        _ => Err(Invalid::Argument("a direction is CTRS_ORIGINAL or CTRS_REPLY")),
    }
}

/// The flow that an object names by the tuple of a direction.
///
/// # Safety
/// `key` is NULL or a live object, which nobody changes while the reference is used.
pub(super) unsafe fn named<'a>(
    key: *const nf_conntrack,
    dir: c_int,
    request: RequestKind,
) -> Result<(&'a Conntrack, Key), Error> {
    // SAFETY: `key` is NULL or live.
    let ct = unsafe { object(key, "the entry that names the flow is NULL") };
    let name = |ct: &'a Conntrack| {
        let key =
            direction(dir).and_then(|direction| Key::of(ct, direction).ok_or(Invalid::NoTuple));
        Ok((ct, key?))
    };
    ct.and_then(name).map_err(|error| error.of(request))
}

/// Runs a request, and puts what became of the flow where the program wants it: 0 where the
/// kernel returned it, or nobody asked; 1 where a get did.
///
/// # Safety
/// `into` is NULL or a live object, which nobody else uses meanwhile; it may be the one of the
/// request, which is not used any more when it is written to.
unsafe fn returned(
    into: *mut nf_conntrack,
    request: impl FnOnce(Option<&mut Conntrack>) -> Result<bool, Error>,
) -> Result<c_int, Error> {
    if into.is_null() {
        return request(None).map(|_| 0);
    }
    let mut told = Conntrack::new();
    let echoed = request(Some(&mut told))?;
    // SAFETY: `into` is not NULL, so it is live; the request is over.
    unsafe { put(into, told) };
    Ok(c_int::from(!echoed))
}

/// Puts a flow where the program wants it, if anywhere.
///
/// # Safety
/// `into` is NULL or a live object, which nobody else uses meanwhile.
pub(super) unsafe fn put(into: *mut nf_conntrack, flow: Conntrack) {
    // SAFETY: `into` is NULL or live, as `unique` asks.
    if let Ok(place) = unsafe { ptr::unique(into) } {
        *place = flow;
    }
}

/// Asks for one flow, named by the tuple of a direction, CTRS_ORIGINAL or CTRS_REPLY, and the
/// zone of `key`. The tuple is whole: both addresses, the protocol, and the ports, or the type,
/// code and id of ICMP. `result` gets the flow in place of what it holds; NULL only asks whether
/// there is one. It may be `key` itself.
///
/// As all requests of this header it takes CAP_NET_ADMIN, and goes through a socket of the
/// handle's that is kept for requests: events are not disturbed. After a failure,
/// ctrs_last_error() says in a sentence what went wrong.
///
/// Returns 0; -1 with ENOENT if there is no such flow, with EINVAL for NULL, an unknown direction,
/// or a tuple that is not whole, with EPERM without CAP_NET_ADMIN, with ECANCELED after
/// ctrs_wake(), with ETIMEDOUT when the time that the handle was opened with is over, with EINTR
/// when the handler of a signal ran, with EMFILE, ENFILE or ENOMEM. `result` is then unchanged.
///
/// # Safety
/// `h` is NULL or a live handle; `key` and `result` are NULL or live objects.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_get(
    h: *mut nfct_handle,
    key: *const nf_conntrack,
    dir: c_int,
    result: *mut nf_conntrack,
) -> c_int {
    // SAFETY: `h` is NULL or live.
    unsafe {
        with_handle(h, -1, |handle| {
            // SAFETY: `key` is NULL or live, and nobody changes it before the answer is there.
            let (_, key) = named(key, dir, RequestKind::Get)?;
            let mut found = Conntrack::new();
            handle.connection()?.get(&key, &mut found)?;
            // SAFETY: `result` is NULL or live, and nobody else uses it; `key` is not used any more.
            put(result, found);
            Ok(0)
        })
    }
}

/// Creates a flow, which must not exist. Like NFCT_Q_CREATE it needs both tuples, whole, and
/// ATTR_TIMEOUT; nfct_setobjopt() has the reply tuple made.
///
/// `result` gets what became of the flow, with its id, and as NAT has made it; NULL if that is
/// not wanted. The kernel tells itself what the request made of it if the flow reports events
/// (net.netfilter.nf_conntrack_events is 1, or 2 and something listened when the flow began);
/// else the flow is asked for right after, and has no attributes if it is gone by then.
///
/// Returns 0 if the kernel told, or `result` is NULL, 1 if the flow was asked for; -1 with EEXIST
/// if there is such a flow, with ENOMEM if the table is full, with EINVAL for NULL and for an
/// incomplete flow, else as ctrs_get(). `result` is then unchanged.
///
/// # Safety
/// `h` is NULL or a live handle; `ct` and `result` are NULL or live objects.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_create(
    h: *mut nfct_handle,
    ct: *const nf_conntrack,
    result: *mut nf_conntrack,
) -> c_int {
    // SAFETY: `h` is NULL or live.
    unsafe {
        with_handle(h, -1, |handle| {
            // SAFETY: `ct` is NULL or live, and nobody changes it before the answer is there.
            let (ct, key) = named(ct, ORIGINAL, RequestKind::Create)?;
            let connection = handle.connection()?;
            // SAFETY: `result` is NULL or live, and nobody else uses it.
            returned(result, |into| {
                connection.change(&Request::Entry(Query::Create, ct), &key, into)
            })
        })
    }
}

/// Changes a flow, which must exist, to what `ct` has beside its tuples and zone, which name it
/// as in ctrs_get(): timeout, mark, labels (of those in ATTR_CONNLABELS_MASK, if that is set),
/// protocol state, helper. A master is left out: a flow has it for life, and one that was seen
/// can be changed and given back.
///
/// Bits of ATTR_STATUS are set beside those that the flow has. The kernel lets only
/// IPS_SEEN_REPLY, IPS_ASSURED and IPS_FIXED_TIMEOUT be set; others that the flow does not have
/// are refused with EINVAL, as the kernel would refuse some and ignore the rest. It clears none.
///
/// `result` is as in ctrs_create().
///
/// Returns 0 or 1 as ctrs_create() does; -1 with ENOENT if there is no such flow, with EOPNOTSUPP
/// for NAT, or a helper of a flow that was created without, with ENOSPC for labels of a flow
/// without room for them, with EBUSY for another helper than the flow has, else as ctrs_get().
///
/// # Safety
/// `h` is NULL or a live handle; `ct` and `result` are NULL or live objects.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_update(
    h: *mut nfct_handle,
    ct: *const nf_conntrack,
    dir: c_int,
    result: *mut nf_conntrack,
) -> c_int {
    // SAFETY: `h` is NULL or live.
    unsafe {
        with_handle(h, -1, |handle| {
            // SAFETY: `ct` is NULL or live, and nobody changes it before the answer is there.
            let (ct, key) = named(ct, dir, RequestKind::Update)?;
            let connection = handle.connection()?;
            // SAFETY: `result` is NULL or live, and nobody else uses it.
            returned(result, |into| connection.update(&key, Update::Object(ct), into))
        })
    }
}

/// Changes the mark of a flow, which is named as in ctrs_get(): those bits that are in `mask`
/// become as they are in `mark`, the others stay.
///
/// `result` is as in ctrs_create().
///
/// Returns 0 or 1 as ctrs_create() does; -1 with ENOENT if there is no such flow, else as
/// ctrs_get().
///
/// # Safety
/// `h` is NULL or a live handle; `key` and `result` are NULL or live objects.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_mark(
    h: *mut nfct_handle,
    key: *const nf_conntrack,
    dir: c_int,
    mark: u32,
    mask: u32,
    result: *mut nf_conntrack,
) -> c_int {
    let changes = || Changes::new().mark(Mark::masked(mark, mask));
    // SAFETY: what the caller says of its pointers is what `change_named` asks.
    unsafe { change_named(h, key, dir, result, || Ok(changes())) }
}

/// Sets labels of a flow and clears others, by the names that `map` has for them. The flow is
/// named as in ctrs_get(). `set` and `clear` are names with a NULL behind the last; NULL is none.
///
/// `result` is as in ctrs_create().
///
/// Returns 0 or 1 as ctrs_create() does; -1 with ENOENT if there is no such flow, with ENOSPC if
/// the flow has no room for labels, with EINVAL for NULL, a name that is not in the map, a label
/// above 127, one that is to be set and cleared, and for no name at all, else as ctrs_get().
///
/// # Safety
/// `h` is NULL or a live handle; `key` and `result` are NULL or live objects; `map` is NULL or a
/// live map; `set` and `clear` are NULL or arrays of C strings that end with NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_labels(
    h: *mut nfct_handle,
    key: *const nf_conntrack,
    dir: c_int,
    map: *const nfct_labelmap,
    set: *const *const c_char,
    clear: *const *const c_char,
    result: *mut nf_conntrack,
) -> c_int {
    let changes = || {
        // SAFETY: `map` is NULL or live.
        let map = unsafe { labelmap::optional(map) };
        let map = map.ok_or(Invalid::Argument("the map of labels is NULL"))?;
        // SAFETY: the arrays are NULL or end with NULL.
        let [set, clear] = unsafe { [names(map, set)?, names(map, clear)?] };
        if set.iter().any(|label| clear.contains(label)) {
            return Err(Invalid::LabelTwice.into());
        }
        Ok(Changes::new().set_labels(set).clear_labels(clear))
    };
    // SAFETY: what the caller says of its pointers is what `change_named` asks.
    unsafe { change_named(h, key, dir, result, changes) }
}

/// The labels of an array of names.
///
/// # Safety
/// `names` is NULL or an array of C strings that ends with NULL.
unsafe fn names(map: &LabelMap, names: *const *const c_char) -> Result<Labels, Error> {
    if names.is_null() {
        return Ok(Labels::new());
    }
    let name = |at: usize| {
        // SAFETY: no name before this one was NULL, so the array goes on to here.
        let name = unsafe { *names.add(at) };
        // SAFETY: a name is a C string.
        (!name.is_null()).then(|| unsafe { std::ffi::CStr::from_ptr(name) }.to_bytes())
    };
    Ok(map.labels((0..).map_while(name))?)
}

/// Changes the flow that an object names.
///
/// # Safety
/// `h` is NULL or a live handle; `key` and `result` are NULL or live objects.
unsafe fn change_named(
    h: *mut nfct_handle,
    key: *const nf_conntrack,
    dir: c_int,
    result: *mut nf_conntrack,
    changes: impl FnOnce() -> Result<Changes, Error>,
) -> c_int {
    let run = |connection: &mut Connection, key: &Key, changes: &Changes| {
        // SAFETY: `result` is NULL or live, and nobody else uses it.
        unsafe { returned(result, |into| connection.update(key, Update::Changes(changes), into)) }
    };
    // SAFETY: `h` is NULL or live.
    unsafe {
        with_handle(h, -1, |handle| {
            // SAFETY: `key` is NULL or live, and nobody changes it during the call.
            let (_, key) = named(key, dir, RequestKind::Update)?;
            run(handle.connection()?, &key, &changes()?)
        })
    }
}

/// Deletes one flow, named as in ctrs_get(). With `id` it is deleted only if that is its id:
/// ATTR_ID of the flow that was seen, so that another one that took its tuple since is left. The
/// kernel may give the same id to a flow reborn at once; what is deleted then is that one.
///
/// `last` gets the flow as it was at its end, with its last counters; NULL if that is not wanted.
/// Where the kernel does not tell (see ctrs_create()) it is as it was right before.
///
/// Returns 0 if the kernel told, or `last` is NULL, 1 if the flow was asked for before; -1 with
/// ENOENT if there is no such flow, or it has another id, else as ctrs_get(). `last` is then
/// unchanged.
///
/// # Safety
/// `h` is NULL or a live handle; `key` and `last` are NULL or live objects; `id` is NULL or
/// points to a number.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_delete(
    h: *mut nfct_handle,
    key: *const nf_conntrack,
    dir: c_int,
    id: *const u32,
    last: *mut nf_conntrack,
) -> c_int {
    // SAFETY: `h` is NULL or live.
    unsafe {
        with_handle(h, -1, |handle| {
            // SAFETY: `key` is NULL or live, and nobody changes it during the call; `id` is NULL or
            // points to a number.
            let (_, key) = named(key, dir, RequestKind::Delete)?;
            let id = ptr::read::<u32>(id.cast()).ok();
            let key = key.with_id(id.map(Id));
            let connection = handle.connection()?;
            // SAFETY: `last` is NULL or live, and nobody else uses it.
            returned(last, |into| connection.change(&Request::Delete(&key), &key, into))
        })
    }
}
