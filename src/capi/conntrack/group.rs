//! Groups of attributes.

use super::types::{RawGroup, nf_conntrack};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::ptr;
use crate::conntrack::object::group::{Group, MAX};
use libc::{c_int, c_void};

/// Sets the attributes of a group from its structure, and marks all of them as set.
///
/// An address group sets the layer 3 protocol too. A port group marks the layer 4 protocol as set,
/// with the value it has. Read-only groups are marked only, and `value` may be NULL. An unknown
/// group is ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `ct` is NULL or a live object; `value` is NULL or points to the group's structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_set_attr_grp(
    ct: *mut nf_conntrack,
    r#type: RawGroup,
    value: *const c_void,
) {
    boundary((), || {
        // SAFETY: `ct` is NULL or live, and used by nobody else during the call.
        let ct = unsafe { ptr::unique(ct) }?;
        let Ok(group) = Group::try_from(r#type) else { return Ok(()) };
        let size = if group.needs_data() { group.size() } else { 0 };
        if size > 0 {
            ptr::not_null(value)?;
        }
        // SAFETY: the value is the group's structure, which has this size.
        ct.set_group(group, unsafe { ptr::bytes(value, size) });
        Ok(())
    });
}

/// Fills the structure of a group, which `data` points to, from its attributes.
///
/// Returns 0; -1 with ENODATA if the entry lacks the group, with EINVAL if the group is unknown or
/// a pointer NULL. What `data` points to is then untouched.
///
/// # Safety
/// `ct` is NULL or a live object; `data` is NULL or points to the group's structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_get_attr_grp(
    ct: *const nf_conntrack,
    r#type: RawGroup,
    data: *mut c_void,
) -> c_int {
    boundary(-1, || {
        // SAFETY: `ct` is NULL or live, and changed by nobody during the call.
        let ct = unsafe { ptr::shared(ct) }?;
        let mut value = [0; MAX];
        let size = ct.get_group(Group::try_from(r#type)?, &mut value)?;
        ptr::not_null(data)?;
        // SAFETY: the data is the group's structure, which has this size.
        let data = unsafe { ptr::bytes_mut(data, size) };
        data.iter_mut().zip(value).for_each(|(to, from)| *to = from);
        Ok(0)
    })
}

/// Tells whether a group is set: all its attributes, or of the address of either family any.
///
/// Returns 1 if it is, 0 if not; -1 with EINVAL if the group is unknown or `ct` is NULL.
///
/// # Safety
/// `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_attr_grp_is_set(ct: *const nf_conntrack, r#type: RawGroup) -> c_int {
    boundary(-1, || {
        // SAFETY: `ct` is NULL or live, and changed by nobody during the call.
        let ct = unsafe { ptr::shared(ct) }?;
        Ok(ct.has_group(Group::try_from(r#type)?).into())
    })
}

/// Marks all attributes of a group as not set.
///
/// Returns 0; -1 with EINVAL if the group is unknown or `ct` is NULL.
///
/// # Safety
/// `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_attr_grp_unset(ct: *mut nf_conntrack, r#type: RawGroup) -> c_int {
    boundary(-1, || {
        // SAFETY: `ct` is NULL or live, and used by nobody else during the call.
        let ct = unsafe { ptr::unique(ct) }?;
        ct.unset_group(Group::try_from(r#type)?);
        Ok(0)
    })
}
