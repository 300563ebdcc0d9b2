//! Tests of the C ABI of ctrs, and what they share.
