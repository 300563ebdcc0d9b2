//! What only the C headers have, as in `conntrack/header`.

mod api;
mod linux_nfnetlink_log;
