//! Sets of labels as values.
#![forbid(unsafe_code)]

use super::bitmask::Bitmask;
use crate::conntrack::error::Error;
use crate::invalid::Invalid;
use std::fmt;

/// Labels of a flow, by number.
///
/// ```
/// use ctrs::Labels;
/// let labels: Labels = [3, 31].into_iter().collect();
/// assert!(labels.contains(31) && !labels.contains(4));
/// assert_eq!(labels.iter().collect::<Vec<u8>>(), [3, 31]);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Labels {
    /// 0 to 127, which the kernel has, and what is above.
    halves: [u128; 2],
}

impl Labels {
    /// No labels.
    #[must_use]
    pub const fn new() -> Self {
        Self { halves: [0; 2] }
    }

    /// Whether a label is among them.
    #[must_use]
    pub fn contains(&self, label: u8) -> bool {
        self.half(label) & bit(label) != 0
    }

    /// Adds a label. The kernel has 0 to 127, and a request with others is refused.
    pub fn insert(&mut self, label: u8) {
        let [low, high] = &mut self.halves;
        *(if label < 128 { low } else { high }) |= bit(label);
    }

    /// Takes a label away.
    pub fn remove(&mut self, label: u8) {
        let [low, high] = &mut self.halves;
        *(if label < 128 { low } else { high }) &= !bit(label);
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.halves == [0; 2]
    }

    /// The labels, the lowest first.
    pub fn iter(&self) -> impl Iterator<Item = u8> + use<> {
        let labels = *self;
        (0..=u8::MAX).filter(move |label| labels.contains(*label))
    }

    fn half(&self, label: u8) -> u128 {
        let [low, high] = self.halves;
        if label < 128 { low } else { high }
    }

    /// # Errors
    /// [`Invalid::Label`].
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        if self.halves[1] == 0 { Ok(()) } else { Err(Invalid::Label) }
    }

    /// The labels of an object, as far as they can be.
    pub(crate) fn of_bitmask(mask: &Bitmask) -> Self {
        (0..=u8::MAX).filter(|label| mask.has((*label).into())).collect()
    }

    /// The labels as an object has them.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(crate) fn to_bitmask(self) -> Result<Bitmask, Error> {
        let mut mask = Bitmask::new(127)?.ok_or(Error::OutOfMemory)?;
        self.iter().for_each(|label| mask.set(label.into()));
        Ok(mask)
    }
}

fn bit(label: u8) -> u128 {
    1 << (label % 128)
}

impl FromIterator<u8> for Labels {
    fn from_iter<T: IntoIterator<Item = u8>>(labels: T) -> Self {
        let mut set = Self::new();
        labels.into_iter().for_each(|label| set.insert(label));
        set
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_is_kept_and_only_those_of_the_kernel_pass() {
        for label in 0..=u8::MAX {
            let mut labels: Labels = [label].into_iter().collect();
            assert!(labels.contains(label) && !labels.contains(label.wrapping_add(128)));
            assert_eq!(labels.iter().collect::<Vec<_>>(), [label]);
            assert_eq!(labels.check().is_ok(), label < 128);
            labels.remove(label);
            assert!(labels.is_empty());
        }
    }

    #[test]
    fn labels_are_those_of_the_bitmask() {
        let labels: Labels = [0, 33, 127].into_iter().collect();
        let mask = labels.to_bitmask().unwrap();
        assert_eq!(mask.words(), [1, 2, 0, 1 << 31]);
        assert_eq!(Labels::of_bitmask(&mask), labels);
        assert_eq!(format!("{labels:?}"), "{0, 33, 127}");
    }
}
