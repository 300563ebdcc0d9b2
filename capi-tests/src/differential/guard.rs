//! Memory that ends where reading must end.

/// A few pages with an unreadable one behind them.
pub struct Guarded {
    start: *mut u8,
    room: usize,
}

const PAGE: usize = 4096;

impl Guarded {
    /// Maps the pages.
    #[must_use]
    pub fn new() -> Self {
        let room = 16 * PAGE;
        // SAFETY: a new private mapping at an address of the kernel's choice.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                room + PAGE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert_ne!(start, libc::MAP_FAILED, "no memory");
        let start = start.cast::<u8>();
        // SAFETY: the last page of the mapping above.
        let protected = unsafe { libc::mprotect(start.add(room).cast(), PAGE, libc::PROT_NONE) };
        assert_eq!(protected, 0, "mprotect failed");
        Self { start, room }
    }

    /// Puts bytes right before the unreadable page, rounded up to a multiple of 4 with zeros.
    pub fn place(&mut self, bytes: &[u8]) -> *const std::ffi::c_void {
        let len = bytes.len().next_multiple_of(4);
        assert!(len <= self.room, "a message of {len} bytes");
        // SAFETY: `len` bytes before the unreadable page, inside the mapping.
        let place = unsafe { std::slice::from_raw_parts_mut(self.start.add(self.room - len), len) };
        place.fill(0);
        place[..bytes.len()].copy_from_slice(bytes);
        place.as_ptr().cast()
    }
}
