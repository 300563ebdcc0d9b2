//! Kinds and texts of errors.
#![forbid(unsafe_code)]

use super::*;

fn refused(request: RequestKind, errno: i32) -> Error {
    Error::from(netlink::Error::Refused(errno)).of(request)
}

#[test]
fn a_main_that_fails_says_what_was_asked_and_why_not() {
    let error = refused(RequestKind::Delete, libc::ENOENT);
    let text = "cannot delete the flow: no such flow, or another took its place (its id \
                differs), or it is in another zone (errno 2)";
    assert_eq!((format!("{error:?}"), error.to_string()), (text.to_owned(), text.to_owned()));
    assert!(format!("{error:#?}").contains("kind: NotFound"));
    let error = refused(RequestKind::Update, libc::EXDEV);
    // In the C library's words.
    let words = std::io::Error::from_raw_os_error(libc::EXDEV);
    assert_eq!(error.to_string(), format!("cannot update the flow: {words}"));
    let error = Error::from(netlink::Error::System { call: "bind", errno: libc::EPERM });
    assert!(error.to_string().starts_with("bind failed: CAP_NET_ADMIN is needed"), "{error}");
}

#[test]
fn kinds_follow_the_errno_and_the_request() {
    let full = refused(RequestKind::Create, libc::ENOMEM);
    assert_eq!((full.kind(), full.errno()), (ErrorKind::Full, Some(libc::ENOMEM)));
    assert_eq!(refused(RequestKind::List, libc::ENOMEM).kind(), ErrorKind::OutOfMemory);
    let full = refused(RequestKind::CreateExpectation, libc::EMFILE);
    assert_eq!(full.kind(), ErrorKind::Full);
    for (errno, kind) in [
        (libc::EPERM, ErrorKind::Privilege),
        (libc::EOPNOTSUPP, ErrorKind::Unsupported),
        (libc::ENOSPC, ErrorKind::Unsupported),
        (libc::ENOENT, ErrorKind::NotFound),
        (libc::EEXIST, ErrorKind::Exists),
        (libc::EBUSY, ErrorKind::Busy),
        (libc::EAGAIN, ErrorKind::WouldBlock),
        (libc::EINTR, ErrorKind::Interrupted),
        (libc::EINVAL, ErrorKind::Invalid),
        (libc::EMFILE, ErrorKind::System),
    ] {
        assert_eq!(refused(RequestKind::Update, errno).kind(), kind);
    }
    let lost = Error::from(netlink::Error::Overrun);
    assert_eq!((lost.kind(), lost.errno()), (ErrorKind::Lost, Some(libc::ENOBUFS)));
    assert_eq!(Error::from(netlink::Error::BadStatus).kind(), ErrorKind::Protocol);
    assert_eq!(Error::from(Invalid::Family).kind(), ErrorKind::Invalid);
    assert_eq!(Error::from(Invalid::Family).errno(), None);
    assert_eq!(Error::from(Invalid::Family).attribute(), None);
    assert_eq!(Error::from(Invalid::Label).attribute(), Some("labels"));
    assert_eq!(Error::from(object::Error::NoFamily).attribute(), Some("original tuple"));
}

#[test]
fn an_io_error_keeps_the_kind_and_the_error() {
    let error = refused(RequestKind::Create, libc::EEXIST);
    let io = io::Error::from(error.clone());
    assert_eq!(io.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(io.get_ref().and_then(|inner| inner.downcast_ref()), Some(&error));
    assert_eq!(io::Error::from(Error::from(Invalid::Family)).kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn errors_are_small_and_go_anywhere() {
    const fn goes_anywhere<T: Send + Sync + 'static>() {}
    goes_anywhere::<Error>();
    assert!(size_of::<Error>() <= 48);
}
