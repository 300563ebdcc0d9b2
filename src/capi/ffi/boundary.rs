//! What every exported function goes through.

use super::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `f` for a C caller: an error becomes `on_error` and `errno`, a panic the same with `EFAULT`.
#[inline]
pub(in crate::capi) fn boundary<T>(on_error: T, f: impl FnOnce() -> Result<T, Error>) -> T {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => fail(error, on_error),
        Err(_) => {
            set_errno(libc::EFAULT);
            on_error
        }
    }
}

/// Tells C about an error; out of line, so that calls that succeed stay short. A function of C never panics:
/// Rust 1.85 takes it that `black_box` may, and every caller had all of the panic's machinery with it.
#[cold]
#[inline(never)]
extern "C" fn fail<T>(error: Error, on_error: T) -> T {
    if let Some(errno) = error.errno() {
        set_errno(errno);
    }
    // Opaque, for a call whose result is known is no jump, and wants a stack frame.
    std::hint::black_box(on_error)
}

/// The thread's `errno`.
pub(in crate::capi) fn errno() -> i32 {
    // SAFETY: the C library returns the address of this thread's errno.
    unsafe { *libc::__errno_location() }
}

/// Sets the thread's `errno`.
pub(in crate::capi) fn set_errno(errno: i32) {
    // SAFETY: the C library returns the address of this thread's errno.
    unsafe { *libc::__errno_location() = errno };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        set_errno(0);
        assert_eq!(boundary(-1, || panic!("deliberate")), -1);
        std::panic::set_hook(hook);
        assert_eq!(errno(), libc::EFAULT);
    }

    #[test]
    fn errno_is_left_alone_by_success_and_by_errors_without_one() {
        set_errno(7);
        assert_eq!(boundary(-1, || Ok(3)), 3);
        assert_eq!(errno(), 7);
        assert_eq!(boundary(-1, || Err(Error::UNTOLD)), -1);
        assert_eq!(errno(), 7);
        assert_eq!(boundary(-1, || Err(Error::of(libc::ENODATA))), -1);
        assert_eq!(errno(), libc::ENODATA);
    }
}
