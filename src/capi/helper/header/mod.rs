//! What only the C header has, as in `conntrack/header`.

mod api;
