//! A timeout policy as text.
#![forbid(unsafe_code)]

use super::object::{Attr, Timeout};
use super::states;
use crate::text::writer::Writer;

/// Prints a policy as libnetfilter_cttimeout does: the name as it is, and of the timeouts all that
/// library knows, those that were not given as 0.
pub fn policy(out: &mut Writer<'_>, policy: &Timeout) {
    if policy.has(Attr::Name) {
        out.text(b".");
        out.text(policy.name());
        out.text(b" = {\n");
    }
    if policy.has(Attr::L3Proto) {
        line(out, b"\t.l3proto", policy.l3proto().into());
    }
    if policy.has(Attr::L4Proto) {
        line(out, b"\t.l4proto", policy.l4proto().into());
    }
    if policy.has(Attr::Policy) {
        timeouts(out, policy);
    }
    out.text(b"};");
}

fn timeouts(out: &mut Writer<'_>, policy: &Timeout) {
    out.text(b"\t.policy = {\n");
    let row = states::printed(policy.l4proto());
    for (state, name) in row.states.iter().take(row.original).enumerate() {
        out.text(b"\t\t.");
        line(out, name.to_bytes(), policy.value(state).into());
    }
    out.text(b"\t},\n");
}

fn line(out: &mut Writer<'_>, name: &[u8], value: u64) {
    out.text(name);
    out.text(b" = ");
    out.decimal(value);
    out.text(b",\n");
}
