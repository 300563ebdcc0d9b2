//! The enum of the main header that C90 can say; the other one is C text in `top.h`.

/// Formats of nflog_nlmsg_snprintf().
#[repr(C)]
pub enum nflog_output_type {
    /// XML, as nflog_snprintf_xml() writes it.
    NFLOG_OUTPUT_XML = 0,
}
