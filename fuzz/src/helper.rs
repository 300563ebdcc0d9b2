//! Arbitrary messages into user-space helpers, and what comes of them in messages and text.

use super::input::Input;
use super::whole::Whole;
use ctrs::capi::helper::helper::{
    nfct_helper_alloc, nfct_helper_attr_get_u8, nfct_helper_attr_get_u16, nfct_helper_attr_get_u32,
    nfct_helper_attr_set, nfct_helper_attr_set_u8, nfct_helper_attr_set_u16,
    nfct_helper_attr_set_u32, nfct_helper_attr_unset, nfct_helper_free,
};
use ctrs::capi::helper::nlmsg::{
    nfct_helper_nlmsg_build_hdr, nfct_helper_nlmsg_build_payload, nfct_helper_nlmsg_parse_payload,
};
use ctrs::capi::helper::policy::{nfct_helper_policy_alloc, nfct_helper_policy_attr_set_u32};
use ctrs::capi::helper::print::nfct_helper_snprintf;
use ctrs::capi::helper::types::nfct_helper;

/// As much as the header promises.
const MOST: usize = 20 + 256;
const POLICY1: u32 = 5;

struct Helper(*mut nfct_helper);

impl Helper {
    fn new() -> Self {
        // SAFETY: making a helper asks for nothing.
        Self(unsafe { nfct_helper_alloc() })
    }

    fn text(&self, size: usize) -> (i32, Vec<u8>) {
        let mut buffer = vec![0; size];
        let start = buffer.as_mut_ptr().cast();
        // SAFETY: the buffer has the size, the helper is live.
        let length = unsafe { nfct_helper_snprintf(start, size, self.0, 0, 0) };
        (length, buffer)
    }

    fn message(&self) -> Vec<u8> {
        let mut buffer = vec![0xa5; MOST];
        // SAFETY: the buffer has room for the longest message, the helper is live.
        unsafe {
            let nlh = nfct_helper_nlmsg_build_hdr(buffer.as_mut_ptr().cast(), 0, 0, 1);
            nfct_helper_nlmsg_build_payload(nlh, self.0);
            buffer.truncate((*nlh).nlmsg_len as usize);
        }
        buffer
    }

    fn parse(&self, message: &Whole) -> bool {
        // SAFETY: the message has the length it says, the helper is live.
        unsafe { nfct_helper_nlmsg_parse_payload(message.header(), self.0) == 0 }
    }

    /// A call that the input chooses. A policy is given to one helper alone.
    fn call(&self, how: u8, attr: u32, value: u32) {
        // SAFETY: the helper is live, and numbers may be any; a policy is its own from then on.
        unsafe {
            match how % 8 {
                0 => nfct_helper_attr_set_u8(self.0, attr, value as u8),
                1 => nfct_helper_attr_set_u16(self.0, attr, value as u16),
                2 => nfct_helper_attr_set_u32(self.0, attr, value),
                3 => nfct_helper_attr_unset(self.0, attr),
                4 => {
                    let policy = nfct_helper_policy_alloc();
                    nfct_helper_policy_attr_set_u32(policy, attr % 4, value);
                    nfct_helper_attr_set(self.0, POLICY1 + attr % 4, policy.cast());
                }
                5 => nfct_helper_attr_set(self.0, POLICY1 + attr % 4, std::ptr::null()),
                6 => {
                    let wide = nfct_helper_attr_get_u32(self.0, attr);
                    let narrow = nfct_helper_attr_get_u16(self.0, attr);
                    assert!(wide != 0 || narrow == 0, "{wide} and {narrow}");
                }
                _ => {
                    nfct_helper_attr_get_u8(self.0, attr);
                }
            }
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // SAFETY: the helper is live, and not used again.
        unsafe { nfct_helper_free(self.0) };
    }
}

/// Input: a byte of options, five calls of six bytes, and a message, whose length is set right.
pub fn helper(data: &[u8]) {
    let mut input = Input(data);
    let size = usize::from(input.u8());
    let helper = Helper::new();
    for _ in 0..5 {
        let (how, attr, value) = (input.u8(), input.u8(), input.u32());
        helper.call(how, attr.into(), value);
    }
    let message = Whole::new(input.0);
    if helper.parse(&message) {
        let before = helper.message();
        assert!(helper.parse(&message));
        assert_eq!(helper.message(), before, "a second time changes nothing");
        // What is built is read again: policies move up to the first place, so twice.
        let (copy, again) = (Helper::new(), Helper::new());
        if copy.parse(&Whole::new(&before)) && again.parse(&Whole::new(&copy.message())) {
            assert_eq!(again.text(512), copy.text(512));
        }
    }
    let (length, _) = helper.text(size);
    assert_eq!(helper.text(512).0, length);
}
