//! Deletes a TCP connection, and tells what went wrong: `errors 10.0.0.1:1000 10.0.0.2:80`.

use ctrs::{ErrorKind, FlowTable, RequestKind, Tuple};
use std::net::SocketAddr;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut ends = std::env::args().skip(1);
    let mut end = || ends.next().ok_or("source and destination are needed");
    let (from, to): (SocketAddr, SocketAddr) = (end()?.parse()?, end()?.parse()?);
    match FlowTable::open()?.delete(Tuple::tcp(from, to)?) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            assert_eq!(error.request(), Some(RequestKind::Delete));
            println!("nothing to delete: {}", error.advice().unwrap_or_default());
        }
        result => result?,
    }
    Ok(())
}
