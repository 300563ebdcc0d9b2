//! Objects in memory of the C allocator.

use super::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A Rust type behind an opaque C type.
///
/// # Safety
/// All zero bytes are a value of `Inner`, which needs no more alignment than `calloc` gives.
pub(in crate::capi) unsafe trait Opaque {
    /// The Rust type.
    type Inner;
}

/// A new object of `size` bytes, all zero.
fn zeroed<T>(size: usize) -> Result<*mut T, Error> {
    // SAFETY: calloc takes any size.
    let block = unsafe { libc::calloc(1, size) };
    if block.is_null() { Err(Error::OUT_OF_MEMORY) } else { Ok(block.cast()) }
}

/// A new empty object that C owns.
pub(in crate::capi) fn create<T: Opaque>() -> Result<*mut T, Error> {
    zeroed(size_of::<T::Inner>())
}

/// Destroys an object that C owned.
///
/// # Safety
/// `object` is a live object from the C allocator and not used again.
pub(in crate::capi) unsafe fn destroy<T: Opaque>(object: *mut T) {
    // SAFETY: the object is live, an `Inner`, in a block of the C allocator, and not used again.
    unsafe {
        std::ptr::drop_in_place(object.cast::<T::Inner>());
        libc::free(object.cast());
    }
}

/// Moves a value into memory of its own; without memory it comes back.
pub(in crate::capi) fn place<T>(value: T) -> Result<*mut T, (T, Error)> {
    let place = match zeroed::<T>(size_of::<T>()) {
        Ok(place) => place,
        Err(error) => return Err((value, error)),
    };
    // SAFETY: the block is new, large enough, and aligned as calloc aligns.
    unsafe { place.write(value) };
    Ok(place)
}

/// Drops a value made by [`place`] and frees its memory.
///
/// # Safety
/// `value` came from [`place`] and is not used again.
pub(in crate::capi) unsafe fn unplace<T: ?Sized>(value: *mut T) {
    // SAFETY: the value is one that `place` wrote into a block of the C allocator, and not used
    // again.
    unsafe {
        std::ptr::drop_in_place(value);
        libc::free(value.cast());
    }
}

/// An object as C allocates it, with a note of who owns it.
///
/// An object that a callback is handed is on loan from the receive loop. The callback may destroy it
/// all the same, and then return `NFCT_CB_STOLEN` or not: the loop frees the memory, once.
#[repr(C)]
pub(in crate::capi) struct Object<C: Opaque> {
    value: C::Inner,
    /// [`OWNED`] by C; or on loan, and then the object's own address, to which [`DESTROYED`] is
    /// added if the callback destroyed it. A program may copy the bytes of an object on loan: in the
    /// copy this is the address of another object, so the copy is C's.
    loan: AtomicUsize,
}

const OWNED: usize = 0;
const DESTROYED: usize = 1;

impl<C: Opaque> Object<C> {
    /// Bytes of an object.
    pub(in crate::capi) const SIZE: usize = size_of::<Self>();

    /// A new empty object that C owns.
    pub(in crate::capi) fn create() -> Result<*mut Self, Error> {
        zeroed(Self::SIZE)
    }

    /// Destroys an object, unless it is on loan: then its owner is told.
    ///
    /// # Safety
    /// `object` is a live object from the C allocator, and its holder does not use it again.
    pub(in crate::capi) unsafe fn destroy(object: *mut Self) {
        // SAFETY: the object is live.
        let loan = unsafe { &(*object).loan };
        let lent = object.addr();
        let kept = loan.load(Ordering::Relaxed) != OWNED && {
            let destroyed = lent | DESTROYED;
            let (Ok(was) | Err(was)) =
                loan.compare_exchange(lent, destroyed, Ordering::AcqRel, Ordering::Acquire);
            was | DESTROYED == destroyed
        };
        if !kept {
            // SAFETY: the object is live and no loop holds it.
            unsafe { unplace(object) };
        }
    }

    /// A new object that C owns, which `fill` writes whole.
    ///
    /// # Safety
    /// `fill` writes every field of the value it is handed, which holds nothing yet.
    pub(in crate::capi) unsafe fn filled(
        fill: impl FnOnce(*mut C::Inner),
    ) -> Result<*mut Self, Error> {
        // SAFETY: malloc takes any size.
        let object: *mut Self = unsafe { libc::malloc(Self::SIZE) }.cast();
        if object.is_null() {
            return Err(Error::OUT_OF_MEMORY);
        }
        // SAFETY: the block is new and large enough, and `fill` writes the value whole.
        unsafe {
            fill(&raw mut (*object).value);
            (&raw mut (*object).loan).write(AtomicUsize::new(OWNED));
        }
        Ok(object)
    }
}

/// An object to lend to callbacks, freed when this is dropped.
pub(in crate::capi) struct Loan<C: Opaque>(*mut Object<C>);

impl<C: Opaque<Inner: Default>> Loan<C> {
    /// A new object.
    pub(in crate::capi) fn create() -> Result<Self, Error> {
        Object::create().map(Self)
    }

    /// Makes the object as new and lends it to a callback.
    pub(in crate::capi) fn lend(&mut self) -> &mut C::Inner {
        // SAFETY: the object is not on loan, so that only this knows it.
        let object = unsafe { &mut *self.0 };
        object.value = C::Inner::default();
        *object.loan.get_mut() = self.0.addr();
        &mut object.value
    }

    /// The object, as the callback is handed it.
    pub(in crate::capi) fn pointer(&self) -> *mut C {
        self.0.cast()
    }

    /// Ends the loan of an object that the callback keeps: it is C's now. It comes back if it was
    /// destroyed meanwhile.
    pub(in crate::capi) fn give(self) -> Option<Self> {
        // SAFETY: nobody frees an object on loan but the loop that lent it.
        let loan = unsafe { (*self.0).loan.swap(OWNED, Ordering::AcqRel) };
        if loan == self.0.addr() | DESTROYED {
            return Some(self);
        }
        std::mem::forget(self);
        None
    }
}

impl<C: Opaque> Drop for Loan<C> {
    fn drop(&mut self) {
        // SAFETY: the object came back from its loan or never was on one, so that only this knows
        // it; the callback of a call that is over does not use it again.
        unsafe { unplace(self.0) };
    }
}
