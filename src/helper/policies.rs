//! The policies of a helper, which it owns: blocks of the C allocator, as C programs make them.

use super::object::Unknown;
use super::policy::{MOST, Policy};
use std::ptr::NonNull;

/// Up to four policies, each in a place of its own or in several; none when all bytes are zero.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct Policies([Option<NonNull<Policy>>; MOST]);

/// No memory was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfMemory;

impl Policies {
    /// Copies of policies, each in its place.
    ///
    /// # Errors
    /// [`OutOfMemory`].
    pub fn copies(of: &[Option<Policy>; MOST]) -> Result<Self, OutOfMemory> {
        let mut made = Self::default();
        for (place, policy) in made.0.iter_mut().zip(of) {
            let Some(policy) = policy else { continue };
            // SAFETY: malloc takes any size.
            let block = unsafe { libc::malloc(size_of::<Policy>()) };
            let block = NonNull::new(block.cast::<Policy>()).ok_or(OutOfMemory)?;
            // SAFETY: the block is new, large enough, and aligned as malloc aligns.
            unsafe { block.write(*policy) };
            *place = Some(block);
        }
        Ok(made)
    }

    /// The policy in a place.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&Policy> {
        // SAFETY: what is in a place is owned, and freed by nobody else.
        self.pointer(place).map(|policy| unsafe { policy.as_ref() })
    }

    /// Each place, and the policy in it.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Policy)> {
        (0..MOST).filter_map(|place| Some((place, self.get(place)?)))
    }

    /// The policy in a place, as C has it.
    #[must_use]
    pub fn pointer(&self, place: usize) -> Option<NonNull<Policy>> {
        *self.0.get(place)?
    }

    /// Puts a policy into a place, or nothing, and frees what was there, unless it is in another place
    /// too.
    ///
    /// # Safety
    /// The policy is a block of the C allocator that only this owns from now on, or one that it owns
    /// already.
    ///
    /// # Errors
    /// [`Unknown`]: there is no such place.
    pub unsafe fn put(
        &mut self,
        place: usize,
        policy: Option<NonNull<Policy>>,
    ) -> Result<(), Unknown> {
        let place = self.0.get_mut(place).ok_or(Unknown)?;
        let replaced = std::mem::replace(place, policy);
        self.free_unless_held(replaced);
        Ok(())
    }

    /// Frees a policy that was taken from its place, unless it is in another one.
    fn free_unless_held(&self, taken: Option<NonNull<Policy>>) {
        let Some(policy) = taken.filter(|_| !self.0.contains(&taken)) else { return };
        // SAFETY: the block came from the C allocator, and no place has it any more.
        unsafe { libc::free(policy.as_ptr().cast()) };
    }
}

impl Drop for Policies {
    fn drop(&mut self) {
        for place in 0..MOST {
            let taken = self.0.get_mut(place).and_then(Option::take);
            self.free_unless_held(taken);
        }
    }
}

// SAFETY: the blocks are owned alone; nothing in them is tied to a thread.
unsafe impl Send for Policies {}
// SAFETY: shared access only reads.
unsafe impl Sync for Policies {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_in_two_places_is_freed_once() {
        let named = |name: &[u8]| {
            let mut policy = Policy::default();
            policy.set_name(name);
            Some(policy)
        };
        let mut policies = Policies::copies(&[named(b"a"), None, named(b"c"), None]).unwrap();
        let first = policies.pointer(0);
        // SAFETY: the policies are those that are owned already.
        unsafe {
            assert_eq!(policies.put(1, first), Ok(()));
            assert_eq!(policies.put(1, first), Ok(()));
            assert_eq!(policies.put(0, None), Ok(()));
            assert_eq!(policies.put(2, first), Ok(()));
            assert_eq!(policies.put(4, None), Err(Unknown));
        }
        let places: Vec<_> =
            policies.iter().map(|(place, policy)| (place, policy.name())).collect();
        assert_eq!(places, [(1, &b"a"[..]), (2, b"a")]);
    }
}
