//! Objects where Rust wants text.
#![forbid(unsafe_code)]

use super::{PLAIN, SHOW_LAYER3, Style, Utc, Writer};
use crate::ct::conntrack::Conntrack;
use std::fmt;

/// Bytes of the longest line without a security context.
const LINE: usize = 1024;

impl fmt::Display for Conntrack {
    /// The plain line, with the layer 3 protocol; nothing more than what precedes a protocol that
    /// is not set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style =
            Style { message: 0, format: PLAIN, flags: SHOW_LAYER3, labels: None, clock: &Utc };
        let mut line = [0; LINE];
        let mut out = Writer::new(&mut line);
        // What cannot be printed is left out.
        let _ = super::conntrack(&mut out, self, &style);
        let length = out.finish().min(LINE - 1);
        f.write_str(&String::from_utf8_lossy(line.get(..length).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_its_plain_line() {
        let (src, dst) = ("10.0.0.1:1000".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
        let ct = Conntrack::flow(6, src, dst).unwrap();
        assert_eq!(
            ct.to_string(),
            "ipv4     2 tcp      6 src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 \
             src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1000"
        );
        assert_eq!(Conntrack::new().to_string(), "");
    }
}
