//! Every refusal of an expectation is provoked and explained: by the running kernel, with requests of
//! which each has one fault.

mod requests;

use capi_tests::in_namespace;
use ctrs::RequestKind;
use ctrs::uapi::cta;
use requests::{Asks, UDP, ask, be32, connect, nest, ports, refused, tuple};

/// An expectation of a flow to a port, on behalf of the flow of port 9.
fn expect(port: u16) -> Asks {
    let attributes = vec![
        (cta::EXPECT_TUPLE, tuple(UDP, 1, 2, &ports(0, port))),
        (cta::EXPECT_MASK, tuple(UDP, 255, 255, &ports(0, 0xffff))),
        (cta::EXPECT_MASTER, tuple(UDP, 1, 2, &ports(9, 53))),
        (cta::EXPECT_TIMEOUT, be32(100)),
    ];
    Asks { kind: RequestKind::CreateExpectation, family: 2, attributes }
}

#[test]
fn what_is_wrong_with_an_expectation_is_named() {
    in_namespace(|| {
        let text = |name: &str| [name.as_bytes(), b"\0"].concat();
        let mut exchange = connect();
        let helped = nest(&[(cta::HELP_NAME, text("tftp"))]);
        ask(&mut exchange, &Asks::create(9).with(cta::HELP, helped)).unwrap();
        ask(&mut exchange, &Asks::create(10)).unwrap();
        ask(&mut exchange, &expect(1)).unwrap();
        let of = |port| tuple(UDP, 1, 2, &ports(port, 53));
        let no = |kind| expect(2).without(kind);
        let wider = tuple(UDP, 0, 255, &ports(0, 0xffff));
        let (invalid, absent) = (libc::EINVAL, libc::ENOENT);
        let (master, class) = (Some("master"), be32(9));
        let rows = [
            (no(cta::EXPECT_TUPLE), invalid, Some("expected tuple"), "has no expected tuple"),
            (no(cta::EXPECT_MASK), invalid, Some("mask"), "has no mask"),
            (no(cta::EXPECT_MASTER), invalid, master, "has no master"),
            (
                expect(2).with(cta::EXPECT_FN, text("no-such")),
                invalid,
                Some("function"),
                "the kernel has no function of this name",
            ),
            (
                expect(2).with(cta::EXPECT_CLASS, class),
                invalid,
                Some("class"),
                "the class is above the highest of the helper",
            ),
            (
                expect(2).with(cta::EXPECT_MASTER, of(99)),
                absent,
                master,
                "no flow has the master's tuple",
            ),
            (
                expect(2).with(cta::EXPECT_MASTER, of(10)),
                libc::EOPNOTSUPP,
                master,
                "the master has no helper",
            ),
            (expect(1), libc::EEXIST, None, "there is an expectation of such flows already"),
            (
                expect(1)
                    .with(cta::EXPECT_TUPLE, tuple(UDP, 7, 2, &ports(0, 1)))
                    .with(cta::EXPECT_MASK, wider),
                libc::EBUSY,
                None,
                "another expectation is met by some of the same flows",
            ),
            (
                Asks { kind: RequestKind::GetExpectation, ..expect(7) }.without(cta::EXPECT_MASTER),
                absent,
                None,
                "no such expectation",
            ),
        ];
        refused(&mut exchange, &rows);
        let error = ask(&mut exchange, &expect(2).with(cta::EXPECT_FLAGS, be32(0x80)));
        let error = error.expect_err("flags that the kernel does not have");
        assert_eq!(error.attribute(), Some("flags"), "{error}");
        assert_eq!(error.kernel_text(), Some("reserved bit set"), "{error}");
    });
}
