//! Keeps a copy of the flow table, and tells the flow of packets without asking the kernel: of lines as
//! `6 10.0.0.1 1000 10.0.0.2 80`, which are protocol, source and destination: `lookup`.

use ctrs::{Happened, Key, Mirror, Tuple};
use std::net::{IpAddr, SocketAddr};

fn tuple(line: &str) -> Result<Tuple, Box<dyn std::error::Error>> {
    let [protocol, from, sport, to, dport] = line.split(' ').collect::<Vec<_>>()[..] else {
        return Err("PROTOCOL SOURCE PORT DESTINATION PORT".into());
    };
    let from = SocketAddr::new(from.parse::<IpAddr>()?, sport.parse()?);
    let to = SocketAddr::new(to.parse::<IpAddr>()?, dport.parse()?);
    Ok(if protocol == "6" { Tuple::tcp(from, to)? } else { Tuple::udp(from, to)? })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut mirror = Mirror::open()?;
    while mirror.next_change()?.happened != Happened::Settled {}
    for line in std::io::stdin().lines() {
        let tuple = tuple(&line?)?;
        while mirror.try_next()?.is_some() {}
        let keys = [("original", Key::original(tuple)), ("reply", Key::reply(tuple))];
        let mut found = "no flow".to_owned();
        for (direction, key) in keys {
            if let Some(flow) = mirror.reader().find(key)? {
                found = format!("{direction} mark {}", flow.mark());
            }
        }
        println!("{found}");
    }
    Ok(())
}
