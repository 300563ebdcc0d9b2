//! Parts of the kernel that may be missing.
#![forbid(unsafe_code)]

use super::sysctl;

/// Whether the kernel tracks connections at all, as far as this thread's namespace shows.
#[must_use]
pub fn conntrack() -> Option<bool> {
    std::fs::exists("/proc/sys/net").ok()?.then(|| sysctl::MAX.here().is_some())
}

/// The names of helpers that do not name their module: `nf_conntrack_` and the name before a dash.
const HELPERS: &[(&str, &str)] = &[
    ("RAS", "h323"),
    ("Q.931", "h323"),
    ("H.245", "h323"),
    ("netbios-ns", "netbios_ns"),
    ("snmp_trap", "snmp"),
];

const PREFIX: &str = "/sys/module/nf_conntrack_";

/// Whether the module of a helper is loaded; `None` where that cannot be told.
#[must_use]
pub fn helper(name: &str) -> Option<bool> {
    let module = HELPERS
        .iter()
        .find(|row| row.0 == name)
        .map_or_else(|| name.split('-').next().unwrap_or_default(), |row| row.1);
    let mut path = [0; 64];
    let length = PREFIX.len() + module.len();
    path.get_mut(..PREFIX.len())?.copy_from_slice(PREFIX.as_bytes());
    path.get_mut(PREFIX.len()..length)?.copy_from_slice(module.as_bytes());
    let path = std::str::from_utf8(path.get(..length)?).ok()?;
    if module.contains('/') || !std::fs::exists("/sys/module").ok()? {
        return None;
    }
    std::fs::exists(path).ok()
}
