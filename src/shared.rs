//! Shared ownership whose memory is asked for: an `Arc` ends the program where there is none.

use std::alloc::{Layout, alloc, dealloc};
use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

/// A value with several owners, dropped by the last.
pub(crate) struct Shared<T> {
    owned: NonNull<Owned<T>>,
}

struct Owned<T> {
    owners: AtomicUsize,
    value: T,
}

// SAFETY: owners in several threads lend the value to each other, and any of them may drop it.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above: who has a reference can make an owner of it.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// A value with one owner; `None` without memory.
    pub fn new(value: T) -> Option<Self> {
        // SAFETY: the count of owners makes the size greater than 0.
        let owned = NonNull::new(unsafe { alloc(Layout::new::<Owned<T>>()) })?.cast::<Owned<T>>();
        // SAFETY: the block is new, of this layout.
        unsafe { owned.write(Owned { owners: AtomicUsize::new(1), value }) };
        Some(Self { owned })
    }

    fn owned(&self) -> &Owned<T> {
        // SAFETY: the block lives as long as its last owner.
        unsafe { self.owned.as_ref() }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.owned().value
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        // More than the half of all numbers would take more memory than there is.
        self.owned().owners.fetch_add(1, Ordering::Relaxed);
        Self { owned: self.owned }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        if self.owned().owners.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        fence(Ordering::Acquire);
        // SAFETY: this was the last owner, so that nobody else knows the block, which `new` made.
        unsafe {
            self.owned.drop_in_place();
            dealloc(self.owned.as_ptr().cast(), Layout::new::<Owned<T>>());
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn the_last_of_several_threads_drops_the_value() {
        let (value, watch) = (Arc::new(7), Arc::new(()));
        let shared = Shared::new((value, watch.clone())).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let mine = shared.clone();
                scope.spawn(move || assert_eq!(*mine.clone().0, 7));
            }
        });
        assert_eq!(Arc::strong_count(&watch), 2);
        drop(shared);
        assert_eq!(Arc::strong_count(&watch), 1);
    }
}
