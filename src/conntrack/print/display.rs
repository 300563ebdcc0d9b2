//! Objects where Rust wants text.
#![forbid(unsafe_code)]

use super::{PLAIN, SHOW_LAYER3, Style};
use crate::conntrack::error::Error;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::object::expectation::Expect;
use crate::text::display::display;
use crate::text::time::Utc;
use crate::text::writer::Writer;
use std::fmt;

impl fmt::Display for Conntrack {
    /// The plain line, with the layer 3 protocol; nothing more than what precedes a protocol that
    /// is not set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, &|out, style| super::conntrack(out, self, style))
    }
}

impl fmt::Display for Expect {
    /// The plain line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, &|out, style| super::expect(out, self, style))
    }
}

/// A line of any length.
fn line(
    f: &mut fmt::Formatter<'_>,
    print: &dyn Fn(&mut Writer<'_>, &Style<'_>) -> Result<(), Error>,
) -> fmt::Result {
    let style = Style { message: 0, format: PLAIN, flags: SHOW_LAYER3, labels: None, clock: &Utc };
    // What cannot be printed is left out.
    display(f, &|out| {
        let _ = print(out, &style);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::flow::Flow;
    use crate::conntrack::heap::Text;
    use crate::conntrack::object::attr::Attr;
    use crate::text::display::LINE;
    use std::net::SocketAddr;

    fn tcp() -> Conntrack {
        let end = |text: &str| text.parse::<SocketAddr>().unwrap();
        let flow = Flow::tcp(end("10.0.0.1:1000"), end("10.0.0.2:80")).unwrap();
        let mut ct = flow.object().unwrap();
        ct.unset(Attr::Timeout);
        ct
    }

    #[test]
    fn an_entry_is_its_plain_line() {
        let ct = tcp();
        assert_eq!(
            ct.to_string(),
            "ipv4     2 tcp      6 src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 \
             src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1000"
        );
        assert_eq!(Conntrack::new().to_string(), "");
    }

    #[test]
    fn a_line_of_any_length_is_whole() {
        let mut ct = tcp();
        ct.flat.present.set(Attr::Secctx);
        ct.flat.present.set(Attr::Use);
        let lengths = (0..LINE + 50).chain([8 * LINE, 70_000]);
        for context in lengths.map(|length| "c".repeat(length)) {
            ct.heap.secctx = Some(Text::new(context.as_bytes()).unwrap());
            let line = ct.to_string();
            assert!(line.starts_with("ipv4     2 tcp      6 src=10.0.0.1"), "{line}");
            assert!(line.ends_with(&format!(" secctx={context} use=0")), "{line}");
        }
    }
}
