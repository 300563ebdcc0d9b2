//! Arbitrary messages into timeout policies, and what comes of them in messages and text.

use super::input::Input;
use super::whole::Whole;
use ctrs::capi::timeout::nlmsg::{
    nfct_timeout_nlmsg_build_hdr, nfct_timeout_nlmsg_build_payload,
    nfct_timeout_nlmsg_parse_payload,
};
use ctrs::capi::timeout::policy::{
    nfct_timeout_alloc, nfct_timeout_attr_set_u8, nfct_timeout_attr_set_u16,
    nfct_timeout_attr_unset, nfct_timeout_free, nfct_timeout_policy_attr_set_u32,
    nfct_timeout_policy_attr_to_name,
};
use ctrs::capi::timeout::print::nfct_timeout_snprintf;
use ctrs::capi::timeout::types::nfct_timeout;

/// As much as the header promises.
const MOST: usize = 20 + 148;

struct Policy(*mut nfct_timeout);

impl Policy {
    fn new() -> Self {
        // SAFETY: making a policy asks for nothing.
        Self(unsafe { nfct_timeout_alloc() })
    }

    fn text(&self, size: usize) -> (i32, Vec<u8>) {
        let mut buffer = vec![0; size];
        let start = buffer.as_mut_ptr().cast();
        // SAFETY: the buffer has the size, the policy is live.
        let length = unsafe { nfct_timeout_snprintf(start, size, self.0, 0, 0) };
        (length, buffer)
    }

    fn message(&self) -> Vec<u8> {
        let mut buffer = vec![0xa5; MOST];
        // SAFETY: the buffer has room for the longest message, the policy is live.
        unsafe {
            let nlh = nfct_timeout_nlmsg_build_hdr(buffer.as_mut_ptr().cast(), 0, 0, 1);
            nfct_timeout_nlmsg_build_payload(nlh, self.0);
            buffer.truncate((*nlh).nlmsg_len as usize);
        }
        buffer
    }

    fn parse(&self, message: &Whole) {
        // SAFETY: the message has the length it says, the policy is live.
        assert_eq!(unsafe { nfct_timeout_nlmsg_parse_payload(message.header(), self.0) }, 0);
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        // SAFETY: the policy is live, and not used again.
        unsafe { nfct_timeout_free(self.0) };
    }
}

/// Input: a byte of options, five calls of six bytes, and a message, whose length is set right.
pub fn timeout(data: &[u8]) {
    let mut input = Input(data);
    let size = usize::from(input.u8());
    let policy = Policy::new();
    for _ in 0..5 {
        let (how, attr, value) = (input.u8(), input.u8(), input.u32());
        let attr = u32::from(attr);
        // SAFETY: the policy is live; numbers may be any.
        unsafe {
            match how % 5 {
                0 => nfct_timeout_attr_set_u8(policy.0, attr, value as u8),
                1 => nfct_timeout_attr_set_u16(policy.0, attr, value as u16),
                2 => nfct_timeout_policy_attr_set_u32(policy.0, attr, value),
                3 => i32::from(nfct_timeout_policy_attr_to_name(value as u8, attr).is_null()),
                _ => {
                    nfct_timeout_attr_unset(policy.0, attr);
                    0
                }
            };
        }
    }
    policy.parse(&Whole::new(input.0));
    let (length, _) = policy.text(size);
    assert_eq!(policy.text(512).0, length);
    // What is built says the same as what it was built of, but for what is not sent.
    let (copy, message) = (Policy::new(), policy.message());
    copy.parse(&Whole::new(&message));
    assert!(copy.message().len() <= message.len());
    let again = Policy::new();
    again.parse(&Whole::new(&copy.message()));
    assert_eq!(again.text(512), copy.text(512));
}
