//! An entry that the kernel handed out, made ready to be created again.
#![forbid(unsafe_code)]

use super::attr::{Attr, Presence};
use super::entry::{Conntrack, Flat};
use super::layer4::Layer4;
use super::nat::{UNDO_DNAT, UNDO_DPAT, UNDO_SNAT, UNDO_SPAT};
use crate::conntrack::error::Error;
use crate::uapi::ips;

/// All TCP flags but MAXACK_SET, which speaks of a number that the kernel does not tell.
pub(crate) const TCP_FLAGS: u8 = !0x20;

const SNAT: Presence = Presence::of(&[Attr::SnatIpv4, Attr::SnatIpv6, Attr::SnatPort]);
const DNAT: Presence = Presence::of(&[Attr::DnatIpv4, Attr::DnatIpv6, Attr::DnatPort]);

impl Conntrack {
    /// Makes an entry that the kernel told one that can be created, so that it becomes the same again:
    /// NAT is asked for as its tuples show it, its TCP flags count, and status bits are gone that the
    /// kernel sets by itself and refuses to be told. Doing it twice changes nothing more.
    ///
    /// # Errors
    /// None that a caller can provoke.
    pub(crate) fn renew(&mut self) -> Result<(), Error> {
        self.renew_nat()?;
        self.unmask_flags();
        self.flat.status &= !(ips::EXPECTED | ips::DYING);
        Ok(())
    }

    /// Asks for the translation that the status and the tuples show, with a reply tuple as it is before
    /// the translation; one that is asked for already is left as it is.
    fn renew_nat(&mut self) -> Result<(), Error> {
        let status = if self.has(Attr::Status) { self.flat.status } else { 0 };
        for (bit, asked, undo_address, undo_port) in
            [(ips::SRC_NAT, SNAT, UNDO_SNAT, UNDO_SPAT), (ips::DST_NAT, DNAT, UNDO_DNAT, UNDO_DPAT)]
        {
            if status & bit == 0 || self.flat.present.has_any(asked) {
                continue;
            }
            self.set_option(undo_address)?;
            let layer4 = Layer4::of(self.flat.orig.l4proto);
            if layer4.has_ends() {
                self.set_option(undo_port)?;
            } else if layer4 == Layer4::Icmp && bit == ips::SRC_NAT {
                // The id is the same in both directions, and the source's to translate.
                let Flat { orig, reply, snat, present, .. } = &mut self.flat;
                (snat.min_port, snat.max_port) = (reply.l4src, reply.l4src);
                reply.l4src = orig.l4src;
                present.set(Attr::SnatPort);
            }
        }
        Ok(())
    }

    /// Makes TCP flags count: the kernel hands them out with a mask of 0, which in a request changes
    /// nothing.
    fn unmask_flags(&mut self) {
        if i32::from(self.flat.orig.l4proto) == libc::IPPROTO_TCP {
            for (flags, mask) in
                [(Attr::TcpFlagsOrig, Attr::TcpMaskOrig), (Attr::TcpFlagsRepl, Attr::TcpMaskRepl)]
            {
                if self.has(flags) {
                    self.set(mask, [TCP_FLAGS; 16]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doing_it_twice_changes_nothing_more() {
        for (l4proto, status) in
            [(6, ips::SRC_NAT), (17, ips::DST_NAT), (1, ips::SRC_NAT | ips::DST_NAT), (6, 0)]
        {
            let mut ct = Conntrack::new();
            (ct.flat.orig.l3proto, ct.flat.orig.l4proto) = (libc::AF_INET as u8, l4proto);
            (ct.flat.orig.src, ct.flat.reply.dst) = ([1; 16], [2; 16]);
            (ct.flat.orig.l4src, ct.flat.reply.l4src, ct.flat.reply.l4dst) =
                ([1; 2], [3; 2], [2; 2]);
            ct.flat.status = status | ips::EXPECTED | ips::ASSURED;
            ct.flat.present = Presence::of(&[Attr::Status, Attr::TcpFlagsOrig]);
            ct.renew().unwrap();
            let once = *ct.flat.bytes();
            assert_eq!(ct.flat.status, status | ips::ASSURED);
            assert_eq!(ct.has(Attr::SnatPort), status & ips::SRC_NAT != 0);
            assert_eq!(ct.has(Attr::TcpMaskOrig), l4proto == 6);
            ct.renew().unwrap();
            assert_eq!(*ct.flat.bytes(), once);
        }
    }
}
