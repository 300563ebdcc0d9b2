//! What any Rust library might do with ctrs, behind one function for C.

/// How many flows there are, or -1.
#[unsafe(no_mangle)]
pub extern "C" fn dependant_count() -> i64 {
    let count = || -> Result<usize, ctrs::Error> {
        ctrs::FlowTable::open()?.list()?.try_fold(0, |flows, entry| {
            entry?;
            Ok(flows + 1)
        })
    };
    count().ok().and_then(|flows| i64::try_from(flows).ok()).unwrap_or(-1)
}
