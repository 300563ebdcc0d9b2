//! How fast the kernel counts.

/// The kernel's ticks in a second, `CONFIG_HZ`: its coarse clocks go in their steps.
#[must_use]
pub fn per_second() -> Option<u32> {
    let mut step = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is writable during the call.
    let told = unsafe { libc::clock_getres(libc::CLOCK_MONOTONIC_COARSE, &raw mut step) };
    let nanoseconds = u32::try_from(step.tv_nsec).ok().filter(|step| told == 0 && *step > 0)?;
    // The step is rounded: of 300 in a second it has 3,333,333.
    Some((1_000_000_000 + nanoseconds / 2) / nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_those_of_some_kernel() {
        let ticks = per_second().unwrap();
        assert!(
            [24, 32, 48, 64, 100, 128, 250, 256, 300, 1000, 1024, 1200].contains(&ticks),
            "{ticks}"
        );
    }
}
