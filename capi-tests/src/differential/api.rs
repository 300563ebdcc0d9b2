//! One library under test, loaded, and the proof of where its functions come from.

use std::ffi::{CStr, CString, c_void};
use std::path::{Path, PathBuf};

use capi_tests::libraries::{LIBRARIES, Library};

/// A pointer to an object of the library, or to bytes.
pub type Ptr = *mut c_void;
/// A pointer that the library only reads.
pub type ConstPtr = *const c_void;

/// The functions of a library, by the prototypes of its public header.
macro_rules! functions {
    ($($name:ident ( $($arg:ty),* ) $(-> $ret:ty)?;)*) => {
        /// The functions of the library.
        #[allow(dead_code, reason = "all are looked up, those that need a kernel are not called")]
        pub struct Api { $(pub $name: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)* }

        impl Api {
            /// Looks every function up, each of which must come from the library.
            pub fn look_up(loaded: &$crate::differential::api::Loaded) -> Self {
                $(
                    let address = loaded.function(concat!(stringify!($name), "\0"));
                    // SAFETY: this is the function's prototype in the public header.
                    let $name = unsafe {
                        std::mem::transmute::<
                            $crate::differential::api::Ptr,
                            unsafe extern "C" fn($($arg),*) $(-> $ret)?,
                        >(address)
                    };
                )*
                Self { $($name),* }
            }
        }
    };
}
pub(crate) use functions;

/// Calls a function of the library under test: its value, and the errno it left (0 before).
macro_rules! ffi {
    ($api:expr, $name:ident ( $($arg:expr),* $(,)? )) => {{
        $crate::differential::api::set_errno(0);
        // SAFETY: the generator passes live objects of this library, and buffers as large as the
        // call needs; it stays inside what the reference defines.
        let value = unsafe { ($api.$name)($($arg),*) };
        (value, $crate::differential::api::errno())
    }};
}
pub(crate) use ffi;

/// The thread's `errno`.
#[must_use]
pub fn errno() -> i32 {
    // SAFETY: the location is valid for the life of the thread.
    unsafe { *libc::__errno_location() }
}

/// Sets the thread's `errno`.
pub fn set_errno(value: i32) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = value }
}

/// A library that is loaded.
pub struct Loaded {
    handle: Ptr,
    file: PathBuf,
    /// Whether functions may come from the libraries it depends on.
    shim: bool,
}

impl Loaded {
    /// Loads the file at `path` as this library, so that neither it nor this program sees another's
    /// functions.
    ///
    /// With `shim`, functions may come from the libraries it depends on.
    #[must_use]
    pub fn load(library: &Library, path: &str, shim: bool) -> Self {
        assert_not_global(library);
        let name = CString::new(path).expect("a path without NUL");
        // SAFETY: the name ends in NUL; loading either library has no side effect.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!handle.is_null(), "cannot load {path}: {}", dl_error());
        let file = std::fs::canonicalize(path).expect("the library's file");
        assert_not_global(library);
        if !shim {
            assert_only_mapped(&file);
        }
        Self { handle, file, shim }
    }

    /// A function of the library; the name ends in NUL.
    #[must_use]
    pub fn function(&self, name: &str) -> Ptr {
        let name = CStr::from_bytes_with_nul(name.as_bytes()).expect("a NUL at its end");
        // SAFETY: `handle` is open and the name ends in NUL.
        let address = unsafe { libc::dlsym(self.handle, name.as_ptr()) };
        assert!(!address.is_null(), "the library lacks {name:?}");
        let from = object_of(address);
        assert!(self.shim || from == self.file, "{name:?} comes from {}", from.display());
        address
    }
}

/// The program must not offer the functions itself: the reference calls its own through the
/// loader, and would get ours.
fn assert_not_global(library: &Library) {
    for symbol in library.symbols() {
        let name = CString::new(symbol.name).expect("a name without NUL");
        // SAFETY: the name ends in NUL.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        assert!(found.is_null(), "{name:?} is in the global scope of the worker");
    }
}

/// Of the libraries and what takes their places only `file` may be mapped.
fn assert_only_mapped(file: &Path) {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("/proc/self/maps");
    let mut seen = false;
    for path in maps.lines().filter_map(|line| line.split_whitespace().nth(5)) {
        let name = path.rsplit('/').next().unwrap_or(path);
        let ours = Path::new(path) == file;
        seen |= ours;
        let other = name.starts_with("libctrs")
            || LIBRARIES.iter().any(|library| name.starts_with(library.name));
        assert!(ours || !other, "{path} is mapped beside {}", file.display());
    }
    assert!(seen, "{} is not mapped", file.display());
}

fn object_of(address: Ptr) -> PathBuf {
    // SAFETY: all zero is a valid Dl_info.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: `info` is writable; dladdr accepts any address.
    let known = unsafe { libc::dladdr(address, &raw mut info) };
    assert!(known != 0 && !info.dli_fname.is_null(), "an address of no library");
    // SAFETY: dladdr returned a C string.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    std::fs::canonicalize(name.to_str().expect("a path in UTF-8")).expect("the library's file")
}

fn dl_error() -> String {
    // SAFETY: dlerror returns NULL or a C string.
    let text = unsafe { libc::dlerror() };
    if text.is_null() {
        return String::new();
    }
    // SAFETY: as above.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
