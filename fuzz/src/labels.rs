//! Label files: what is read obeys the rules, however it arrives.

use super::input::Input;
use super::objects::{Ct, text};
use ctrs::LabelMap;
use ctrs::capi::conntrack::attr::nfct_set_attr;
use ctrs::capi::conntrack::bitmask::{nfct_bitmask_new, nfct_bitmask_set_bit};
use ctrs::capi::conntrack::labelmap::{
    nfct_labelmap_destroy, nfct_labelmap_get_bit, nfct_labelmap_get_name, nfct_labelmap_new,
};
use ctrs::capi::conntrack::print::nfct_snprintf_labels;
use ctrs::capi::conntrack::types::nfct_labelmap;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{Read, Write};

/// One more than the highest label a file can name.
const LABELS: u32 = 1024;
/// What of a longer line counts as a line.
const LINE_MAX: usize = 1023;
const ATTR_CONNLABELS: u32 = 66;

/// Input: a byte of how much a read returns, a label to print, and the file.
pub fn labels(data: &[u8]) {
    let mut input = Input(data);
    let (step, label) = (usize::from(input.u8()) + 1, input.u16());
    let file = input.0;
    let Ok(map) = LabelMap::parse(file) else { panic!("out of memory") };
    let pieces = LabelMap::parse(Pieces(file, step)).expect("memory");
    assert_eq!(list(map.as_ref()), list(pieces.as_ref()), "a file read in pieces");
    if let Some(map) = &map {
        rules(map);
        again(map);
    }
    through_c(file, map.as_ref(), label.into());
}

/// A reader that returns at most so many bytes.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self.1.min(buffer.len());
        self.0.read(&mut buffer[..size])
    }
}

/// The labels of a map with their names.
fn list(map: Option<&LabelMap>) -> Vec<(u32, Vec<u8>)> {
    let name = |label| map.and_then(|map| map.name(label)).filter(|name| !name.is_empty());
    (0..LABELS + 1).filter_map(|label| Some((label, name(label)?.to_vec()))).collect()
}

fn rules(map: &LabelMap) {
    let names = list(Some(map));
    assert!(!names.is_empty());
    for (label, name) in &names {
        assert!(*label < LABELS);
        assert_eq!(map.bit(name), Some(*label));
        assert!(name.iter().all(|c| c.is_ascii_alphanumeric() || b" -".contains(c)), "{name:?}");
    }
    assert_eq!(map.name(names.last().map_or(0, |(label, _)| label + 1)), None);
    assert_eq!(map.bit(b"no such_name"), None);
}

/// A map written down again reads as the same map.
fn again(map: &LabelMap) {
    let names = list(Some(map));
    let mut file = Vec::new();
    for (label, name) in &names {
        file.extend_from_slice(format!("{label} ").as_bytes());
        file.extend_from_slice(name);
        file.push(b'\n');
    }
    // What of a longer line counts ends earlier when the number takes more room.
    if file.split(|byte| *byte == b'\n').any(|line| line.len() >= LINE_MAX) {
        return;
    }
    let again = LabelMap::parse(&file[..]).expect("memory");
    assert_eq!(list(again.as_ref()), names);
}

/// The same file through the C interface, and an entry printed with it.
fn through_c(content: &[u8], map: Option<&LabelMap>, label: u32) {
    let (_file, path) = file_of(content);
    // SAFETY: the path is a C string.
    let c_map = unsafe { nfct_labelmap_new(path.as_ptr()) };
    assert_eq!(c_map.is_null(), map.is_none());
    if let Some(map) = map {
        same_through_c(c_map, map, label);
    }
    print(c_map, label);
    // SAFETY: the map is NULL or live, and not used again.
    unsafe { nfct_labelmap_destroy(c_map) };
}

/// A file with that content, kept as long as it is open, and its path.
#[cfg(not(miri))]
fn file_of(content: &[u8]) -> (File, CString) {
    use std::os::fd::{AsRawFd, FromRawFd};
    // SAFETY: the name is a C string; the descriptor is new and owned here alone.
    let mut file =
        unsafe { File::from_raw_fd(libc::memfd_create(c"labels".as_ptr(), libc::MFD_CLOEXEC)) };
    file.write_all(content).expect("a file in memory");
    let path = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd())).expect("no NUL");
    (file, path)
}

/// The same for Miri, which knows no files in memory.
#[cfg(miri)]
fn file_of(content: &[u8]) -> (File, CString) {
    let path = std::env::temp_dir().join("ctrs-labels-under-miri");
    let mut file = File::create(&path).expect("a temporary file");
    file.write_all(content).expect("a temporary file");
    (file, CString::new(path.to_str().expect("UTF-8")).expect("no NUL"))
}

fn same_through_c(c_map: *mut nfct_labelmap, map: &LabelMap, label: u32) {
    for label in [0, 1, label % LABELS, LABELS - 1, u32::MAX] {
        // SAFETY: the map is live and hands out C strings.
        unsafe {
            let name = nfct_labelmap_get_name(c_map, label);
            assert_eq!(name.is_null(), map.name(label).is_none());
            if !name.is_null() {
                let text = CStr::from_ptr(name);
                assert_eq!(Some(text.to_bytes()), map.name(label));
                let bit = map.bit(text.to_bytes()).map_or(-1, |bit| bit as i32);
                assert_eq!(nfct_labelmap_get_bit(c_map, name), bit);
            }
        }
    }
}

fn print(map: *mut nfct_labelmap, label: u32) {
    let ct = Ct::new();
    // SAFETY: the bitmask is new, and the object takes it over; both and the map are live.
    unsafe {
        let mask = nfct_bitmask_new(label);
        for bit in [0, label / 2, label] {
            nfct_bitmask_set_bit(mask, bit);
        }
        nfct_set_attr(ct.0, ATTR_CONNLABELS, mask.cast());
    }
    for format in [0, 1] {
        text(|buffer, size| {
            // SAFETY: the buffer has the size; object and map are live, or the map is NULL.
            unsafe { nfct_snprintf_labels(buffer, size, ct.0, 1, format, 0, map) }
        });
    }
}
