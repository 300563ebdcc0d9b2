//! Which ICMP query type answers which.
#![forbid(unsafe_code)]

/// In place of a reply type, for a type that has none.
pub const NO_REPLY: u8 = 255;

/// Pairs of query and reply, RFC 792, RFC 950 (as kept in the kernel's `icmp.h`).
const IPV4: [(u8, u8); 4] = [(8, 0), (13, 14), (15, 16), (17, 18)];
/// Pairs of query and reply, RFC 4443 and RFC 4620.
const IPV6: [(u8, u8); 2] = [(128, 129), (139, 140)];

fn pairs(family: u8) -> &'static [(u8, u8)] {
    match i32::from(family) {
        libc::AF_INET => &IPV4,
        libc::AF_INET6 => &IPV6,
        _ => &[],
    }
}

/// The type that answers `kind` in layer 3 protocol `family`, or [`NO_REPLY`].
#[must_use]
pub fn reply_type(family: u8, kind: u8) -> u8 {
    let answer = pairs(family).iter().find_map(|(query, reply)| match kind {
        kind if kind == *query => Some(*reply),
        kind if kind == *reply => Some(*query),
        _ => None,
    });
    answer.unwrap_or(NO_REPLY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reply_answers_its_query() {
        for (family, queries) in
            [(2, vec![0, 8, 13, 14, 15, 16, 17, 18]), (10, vec![128, 129, 139, 140])]
        {
            for kind in 0..=255 {
                let reply = reply_type(family, kind);
                assert_eq!(reply != NO_REPLY, queries.contains(&kind));
                assert!(reply == NO_REPLY || reply_type(family, reply) == kind);
            }
        }
        assert_eq!(reply_type(7, 8), NO_REPLY);
    }
}
