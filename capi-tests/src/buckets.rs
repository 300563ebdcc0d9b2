//! The kernel's hash table of flows, which the machine has one of.

const BUCKETS: &str = "/proc/sys/net/netfilter/nf_conntrack_buckets";

/// The number of hash buckets, which is as it was again in the end.
pub struct Buckets(pub u64);

impl Buckets {
    /// # Panics
    /// Without connection tracking.
    pub fn now() -> Self {
        let number = std::fs::read_to_string(BUCKETS).expect("the kernel tracks connections");
        Self(number.trim().parse().expect("a number"))
    }

    /// # Panics
    /// Not as root of the machine, in its first network namespace.
    pub fn set(&self, number: u64) {
        std::fs::write(BUCKETS, number.to_string()).expect("root of the machine");
    }
}

impl Drop for Buckets {
    fn drop(&mut self) {
        self.set(self.0);
    }
}
