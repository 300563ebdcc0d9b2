//! Makes a timeout policy for TCP of IPv4, or changes it, and lists what there is:
//! `timeouts NAME ESTABLISHED_SECONDS`. Rules use it by `-j CT --timeout NAME`.

use ctrs::{Family, Protocol, TimeoutPolicies, TimeoutPolicy, TimeoutState, Timeouts};
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut policies = TimeoutPolicies::open()?;
    if let [name, seconds] = &arguments[..] {
        let established = Duration::from_secs(seconds.parse()?);
        let timeouts =
            Timeouts::of(Protocol::Tcp)?.with(TimeoutState::TCP_ESTABLISHED, established)?;
        policies.replace(&TimeoutPolicy::new(name, Family::Ipv4, timeouts)?)?;
    }
    for policy in policies.list()? {
        let policy = policy?;
        println!("{policy}, used by {} rules", policy.rules().unwrap_or(0));
    }
    println!("others: {}", policies.defaults(Protocol::Tcp)?);
    Ok(())
}
