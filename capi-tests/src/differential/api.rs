//! One library under test: its 105 functions, and the proof of where they come from.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};

/// A pointer to an object of the library, or to bytes.
pub type Ptr = *mut c_void;
/// A pointer that the library only reads.
pub type ConstPtr = *const c_void;

macro_rules! functions {
    ($($name:ident ( $($arg:ty),* ) $(-> $ret:ty)?;)*) => {
        /// The functions of the library.
        #[allow(dead_code, reason = "all are looked up, those that need a kernel are not called")]
        pub struct Api { $(pub $name: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)* }

        impl Api {
            /// Looks every function up, and asserts that `owns` holds for its address.
            fn look_up(handle: Ptr, owns: &dyn Fn(&str, Ptr)) -> Self {
                $(
                    let name = concat!(stringify!($name), "\0");
                    // SAFETY: `handle` is open and the name ends in NUL.
                    let address = unsafe { libc::dlsym(handle, name.as_ptr().cast()) };
                    assert!(!address.is_null(), "the library lacks {}", stringify!($name));
                    owns(stringify!($name), address);
                    // SAFETY: this is the function's prototype in the public header.
                    let $name = unsafe {
                        std::mem::transmute::<Ptr, unsafe extern "C" fn($($arg),*) $(-> $ret)?>(address)
                    };
                )*
                Self { $($name),* }
            }
        }
    };
}

functions! {
    nfct_open(u8, c_uint) -> Ptr;
    nfct_open_nfnl(Ptr, u8, c_uint) -> Ptr;
    nfct_close(Ptr) -> c_int;
    nfct_fd(Ptr) -> c_int;
    nfct_nfnlh(Ptr) -> ConstPtr;
    nfct_new() -> Ptr;
    nfct_destroy(Ptr);
    nfct_clone(ConstPtr) -> Ptr;
    nfct_sizeof(ConstPtr) -> usize;
    nfct_maxsize() -> usize;
    nfct_setobjopt(Ptr, c_uint) -> c_int;
    nfct_getobjopt(ConstPtr, c_uint) -> c_int;
    nfct_callback_register(Ptr, c_uint, ConstPtr, Ptr) -> c_int;
    nfct_callback_unregister(Ptr);
    nfct_callback_register2(Ptr, c_uint, ConstPtr, Ptr) -> c_int;
    nfct_callback_unregister2(Ptr);
    nfct_bitmask_new(c_uint) -> Ptr;
    nfct_bitmask_clone(ConstPtr) -> Ptr;
    nfct_bitmask_maxbit(ConstPtr) -> c_uint;
    nfct_bitmask_set_bit(Ptr, c_uint);
    nfct_bitmask_test_bit(ConstPtr, c_uint) -> c_int;
    nfct_bitmask_unset_bit(Ptr, c_uint);
    nfct_bitmask_destroy(Ptr);
    nfct_bitmask_clear(Ptr);
    nfct_bitmask_equal(ConstPtr, ConstPtr) -> u8;
    nfct_labels_get_path() -> *const c_char;
    nfct_labelmap_new(*const c_char) -> Ptr;
    nfct_labelmap_destroy(Ptr);
    nfct_labelmap_get_name(Ptr, c_uint) -> *const c_char;
    nfct_labelmap_get_bit(Ptr, *const c_char) -> c_int;
    nfct_set_attr(Ptr, c_uint, ConstPtr);
    nfct_set_attr_u8(Ptr, c_uint, u8);
    nfct_set_attr_u16(Ptr, c_uint, u16);
    nfct_set_attr_u32(Ptr, c_uint, u32);
    nfct_set_attr_u64(Ptr, c_uint, u64);
    nfct_set_attr_l(Ptr, c_uint, ConstPtr, usize);
    nfct_get_attr(ConstPtr, c_uint) -> ConstPtr;
    nfct_get_attr_u8(ConstPtr, c_uint) -> u8;
    nfct_get_attr_u16(ConstPtr, c_uint) -> u16;
    nfct_get_attr_u32(ConstPtr, c_uint) -> u32;
    nfct_get_attr_u64(ConstPtr, c_uint) -> u64;
    nfct_attr_is_set(ConstPtr, c_uint) -> c_int;
    nfct_attr_is_set_array(ConstPtr, *const c_uint, c_int) -> c_int;
    nfct_attr_unset(Ptr, c_uint) -> c_int;
    nfct_set_attr_grp(Ptr, c_uint, ConstPtr);
    nfct_get_attr_grp(ConstPtr, c_uint, Ptr) -> c_int;
    nfct_attr_grp_is_set(ConstPtr, c_uint) -> c_int;
    nfct_attr_grp_unset(Ptr, c_uint) -> c_int;
    nfct_snprintf(*mut c_char, c_uint, ConstPtr, c_uint, c_uint, c_uint) -> c_int;
    nfct_snprintf_labels(*mut c_char, c_uint, ConstPtr, c_uint, c_uint, c_uint, Ptr) -> c_int;
    nfct_compare(ConstPtr, ConstPtr) -> c_int;
    nfct_cmp(ConstPtr, ConstPtr, c_uint) -> c_int;
    nfct_query(Ptr, c_uint, ConstPtr) -> c_int;
    nfct_send(Ptr, c_uint, ConstPtr) -> c_int;
    nfct_catch(Ptr) -> c_int;
    nfct_copy(Ptr, ConstPtr, c_uint);
    nfct_copy_attr(Ptr, ConstPtr, c_uint);
    nfct_filter_create() -> Ptr;
    nfct_filter_destroy(Ptr);
    nfct_filter_add_attr(Ptr, c_uint, ConstPtr);
    nfct_filter_add_attr_u32(Ptr, c_uint, u32);
    nfct_filter_set_logic(Ptr, c_uint, c_uint) -> c_int;
    nfct_filter_attach(c_int, Ptr) -> c_int;
    nfct_filter_detach(c_int) -> c_int;
    nfct_filter_dump_create() -> Ptr;
    nfct_filter_dump_destroy(Ptr);
    nfct_filter_dump_set_attr(Ptr, c_uint, ConstPtr);
    nfct_filter_dump_set_attr_u8(Ptr, c_uint, u8);
    nfct_build_conntrack(Ptr, Ptr, usize, u16, u16, ConstPtr) -> c_int;
    nfct_parse_conntrack(c_uint, ConstPtr, Ptr) -> c_int;
    nfct_build_query(Ptr, c_uint, ConstPtr, Ptr, c_uint) -> c_int;
    nfct_nlmsg_build(Ptr, ConstPtr) -> c_int;
    nfct_nlmsg_build_filter(Ptr, ConstPtr) -> c_int;
    nfct_nlmsg_parse(ConstPtr, Ptr) -> c_int;
    nfct_payload_parse(ConstPtr, usize, u16, Ptr) -> c_int;
    nfexp_new() -> Ptr;
    nfexp_destroy(Ptr);
    nfexp_clone(ConstPtr) -> Ptr;
    nfexp_sizeof(ConstPtr) -> usize;
    nfexp_maxsize() -> usize;
    nfexp_callback_register(Ptr, c_uint, ConstPtr, Ptr) -> c_int;
    nfexp_callback_unregister(Ptr);
    nfexp_callback_register2(Ptr, c_uint, ConstPtr, Ptr) -> c_int;
    nfexp_callback_unregister2(Ptr);
    nfexp_set_attr(Ptr, c_uint, ConstPtr);
    nfexp_set_attr_u8(Ptr, c_uint, u8);
    nfexp_set_attr_u16(Ptr, c_uint, u16);
    nfexp_set_attr_u32(Ptr, c_uint, u32);
    nfexp_get_attr(ConstPtr, c_uint) -> ConstPtr;
    nfexp_get_attr_u8(ConstPtr, c_uint) -> u8;
    nfexp_get_attr_u16(ConstPtr, c_uint) -> u16;
    nfexp_get_attr_u32(ConstPtr, c_uint) -> u32;
    nfexp_attr_is_set(ConstPtr, c_uint) -> c_int;
    nfexp_attr_unset(Ptr, c_uint) -> c_int;
    nfexp_query(Ptr, c_uint, ConstPtr) -> c_int;
    nfexp_snprintf(*mut c_char, c_uint, ConstPtr, c_uint, c_uint, c_uint) -> c_int;
    nfexp_cmp(ConstPtr, ConstPtr, c_uint) -> c_int;
    nfexp_send(Ptr, c_uint, ConstPtr) -> c_int;
    nfexp_catch(Ptr) -> c_int;
    nfexp_build_expect(Ptr, Ptr, usize, u16, u16, ConstPtr) -> c_int;
    nfexp_parse_expect(c_uint, ConstPtr, Ptr) -> c_int;
    nfexp_build_query(Ptr, c_uint, ConstPtr, Ptr, c_uint) -> c_int;
    nfexp_nlmsg_build(Ptr, ConstPtr) -> c_int;
    nfexp_nlmsg_parse(ConstPtr, Ptr) -> c_int;
}

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

impl Api {
    /// Loads the library at `path` so that neither it nor this program sees another's functions.
    ///
    /// With `shim`, functions may come from the libraries it depends on.
    #[must_use]
    pub fn load(path: &str, shim: bool) -> Self {
        assert_not_global();
        let name = CString::new(path).expect("a path without NUL");
        // SAFETY: the name ends in NUL; loading either library has no side effect.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!handle.is_null(), "cannot load {path}: {}", dl_error());
        let file = std::fs::canonicalize(path).expect("the library's file");
        let owns = |function: &str, address: Ptr| {
            let from = object_of(address);
            assert!(shim || from == file, "{function} comes from {}", from.display());
        };
        let api = Self::look_up(handle, &owns);
        assert_not_global();
        if !shim {
            assert_only_mapped(&file);
        }
        api
    }
}

/// The program must not offer the functions itself: the reference calls its own through the
/// loader, and would get ours.
fn assert_not_global() {
    // SAFETY: the name ends in NUL.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"nfct_new".as_ptr()) };
    assert!(found.is_null(), "nfct_new is in the global scope of the worker");
}

/// Of all conntrack libraries only `file` may be mapped.
fn assert_only_mapped(file: &std::path::Path) {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("/proc/self/maps");
    let mut seen = false;
    for path in maps.lines().filter_map(|line| line.split_whitespace().nth(5)) {
        let name = path.rsplit('/').next().unwrap_or(path);
        let ours = std::path::Path::new(path) == file;
        seen |= ours;
        let other = name.contains("netfilter_conntrack") || name.starts_with("libctrs");
        assert!(ours || !other, "{path} is mapped beside {}", file.display());
    }
    assert!(seen, "{} is not mapped", file.display());
}

fn object_of(address: Ptr) -> std::path::PathBuf {
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
