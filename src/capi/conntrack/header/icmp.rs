//! Flags of ICMP entries, without use today.

/// Has no use today; here for old programs.
#[repr(C)]
pub enum icmp_flags {
    ICMP_TYPE_BIT = 0,
    ICMP_TYPE = 1 << ICMP_TYPE_BIT,
    ICMP_CODE_BIT = 1,
    ICMP_CODE = 1 << ICMP_CODE_BIT,
    ICMP_ID_BIT = 2,
    ICMP_ID = 1 << ICMP_ID_BIT,
}
