//! Messages of a real kernel about timeout policies and defaults, read, built again, and cut short.

use capi_tests::corpus::messages;
use ctrs::netlink::builder::{Builder, Header};
use ctrs::netlink::message::{Attributes, Message};
use ctrs::timeout::object::Timeout;
use ctrs::timeout::states;
use ctrs::timeout::wire::{self, Known};
use ctrs::uapi::timeout;

/// The messages that the kernel sent: policies, and defaults.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let mut all = messages(|name| name.starts_with("09"));
    all.retain(|(_, bytes)| Message::first(bytes).unwrap().subsystem() == timeout::SUBSYS);
    assert!(all.len() > 15, "{} messages", all.len());
    all
}

fn read(attributes: &[u8]) -> (Timeout, Option<u32>) {
    let mut policy = Timeout::default();
    let uses = wire::parse(&mut policy, attributes);
    (policy, uses)
}

/// All states of the protocol, heartbeats of SCTP too, and the same attributes again.
#[test]
fn what_the_kernel_says_is_read_whole_and_built_again() {
    for (description, bytes) in corpus() {
        let message = Message::first(&bytes).unwrap();
        let (policy, _) = read(message.attributes());
        let row = states::of(policy.l4proto()).expect(&description);
        let given = (0..row.states.len()).filter(|state| policy.given(*state).is_some());
        let mut buffer = [0; 512];
        let mut to = Builder::message(&mut buffer, Header::default());
        wire::build(&mut to, &policy, Known::All);
        let length = to.finish().unwrap();
        let (again, _) = read(&buffer[20..length]);
        assert_eq!(again, policy, "{description}");
        let data = Attributes::new(message.attributes()).find(|it| it.kind == timeout::DATA);
        let members = data.map_or(0, |data| Attributes::new(data.value).count());
        assert_eq!(given.count(), members, "{description}");
    }
}

/// What is read of the beginning of a message is what the whole message says, as far as it goes.
#[test]
fn a_message_that_ends_anywhere_says_nothing_wrong() {
    for (description, bytes) in corpus() {
        let (whole, uses) = read(Message::first(&bytes).unwrap().attributes());
        for length in 16..bytes.len() {
            let mut cut = bytes[..length].to_vec();
            cut[..4].copy_from_slice(&(length as u32).to_ne_bytes());
            let (part, part_uses) = read(Message::first(&cut).unwrap().attributes());
            assert!(part_uses.is_none() || part_uses == uses, "{description}, {length}");
            assert!(
                part.name().is_empty() || part.name() == whole.name(),
                "{description}, {length}"
            );
            for state in 0..11 {
                let told = part.given(state);
                assert!(told.is_none() || told == whole.given(state), "{description}, {length}");
            }
        }
    }
}
