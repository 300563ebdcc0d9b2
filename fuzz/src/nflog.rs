//! Arbitrary datagrams as logged packets.

use super::input::Input;
use ctrs::capi::nflog::data::{Attributes, Data};
use ctrs::capi::nflog::dispatch::nflog_handle_packet;
use ctrs::capi::nflog::handle::{nflog_close, nflog_open};
use ctrs::capi::nflog::nlmsg::{
    nflog_attr_put_cfg_cmd, nflog_attr_put_cfg_mode, nflog_nlmsg_parse, nflog_nlmsg_put_header,
    nflog_nlmsg_snprintf,
};
use ctrs::capi::nflog::packet::*;
use ctrs::capi::nflog::print::nflog_snprintf_xml;
use ctrs::capi::nflog::time::timeval;
use ctrs::capi::nflog::types::{nflog_data, nflog_handle};
use ctrs::netlink::message::{Message, Messages};
use ctrs::nflog::packet::Packet;
use ctrs::nflog::xml::XmlParts;
use std::ffi::{CStr, c_char, c_int};
use std::ptr::null_mut;

/// What is printed is no longer than ten times what it is of, and this.
const ELEMENTS: usize = 400;

/// Input: a byte of options, the flags and the size of a text, what a message is built of, and a
/// datagram.
pub fn nflog(data: &[u8]) {
    let mut input = Input(data);
    let (options, flags, size) = (input.u8(), input.u8(), input.u8());
    build(&mut input);
    // A datagram may be at any address, and what is behind it is not read.
    let shift = usize::from(options & 3);
    let mut memory = vec![0; shift];
    memory.extend_from_slice(input.0);
    let datagram = &memory[shift..];
    // What time it is changes meanwhile.
    let flags = u32::from(flags) & !XmlParts::TIME.bits();
    for message in Messages::new(datagram) {
        agree(message.bytes());
        print(message.bytes(), flags, size.into());
        parse(message.bytes(), flags);
    }
    hand_over(datagram);
}

/// A handle without groups, of which no packet is.
struct Handle(*mut nflog_handle);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: it is live, and not used again.
        unsafe { nflog_close(self.0) };
    }
}

fn hand_over(datagram: &[u8]) {
    thread_local! {
        // SAFETY: nothing is asked for.
        static HANDLE: Handle = Handle(unsafe { nflog_open() });
    }
    let (buf, len) = (datagram.as_ptr().cast_mut().cast(), datagram.len() as c_int);
    // SAFETY: NULL or a live handle, and a datagram of its length.
    let verdict = HANDLE.with(|handle| unsafe { nflog_handle_packet(handle.0, buf, len) });
    assert!(verdict == 0 || verdict == -1);
}

/// What Rust and C tell of the packet of a message is the same.
fn agree(message: &[u8]) {
    let Some(packet) = Packet::read(message) else { return };
    let attributes = Attributes::of(&Message::first(message).unwrap());
    let mut data = Data::of(&attributes);
    let data: *mut nflog_data = (&raw mut data).cast();
    let stored = |get: unsafe extern "C" fn(*mut nflog_data, *mut u32) -> c_int| {
        let mut number = 0;
        // SAFETY: a packet, and room for a number.
        let result = unsafe { get(data, &raw mut number) };
        (result == 0).then_some(number)
    };
    let told = [nflog_get_uid, nflog_get_gid, nflog_get_seq, nflog_get_seq_global, nflog_get_ctid];
    let expected =
        [packet.uid(), packet.gid(), packet.seq(), packet.seq_global(), packet.conntrack_id()];
    assert_eq!(told.map(stored), expected);
    // SAFETY: a packet, whose attributes are in the message; room for what is stored.
    unsafe {
        let prefix = nflog_get_prefix(data);
        let prefix = (!prefix.is_null()).then(|| CStr::from_ptr(prefix).to_bytes());
        assert_eq!(prefix, packet.prefix());
        let header = nflog_get_msg_packet_hdr(data);
        let hook = (!header.is_null()).then(|| header.read_unaligned().hook);
        assert_eq!(hook, packet.hook());
        let address = nflog_get_packet_hw(data);
        let length = (!address.is_null()).then(|| address.read_unaligned().hw_addrlen);
        let length = length.map(|length| usize::from(u16::from_be(length)));
        assert_eq!(length, packet.hardware_address().map(<[u8]>::len));
        assert_eq!(nflog_get_hwtype(data), packet.hardware_type().unwrap_or(0));
        let header = packet.hardware_header().unwrap_or_default();
        let length = usize::from(nflog_get_msg_packet_hwhdrlen(data));
        assert!(length == header.len() || packet.attribute(17).is_none_or(|it| it.len() < 2));
        let numbers = [
            (nflog_get_nfmark(data), packet.mark()),
            (nflog_get_indev(data), packet.indev()),
            (nflog_get_outdev(data), packet.outdev()),
            (nflog_get_physindev(data), packet.physindev()),
            (nflog_get_physoutdev(data), packet.physoutdev()),
        ];
        numbers.iter().for_each(|(c, rust)| assert_eq!(*c, rust.unwrap_or(0)));
        let mut payload = null_mut();
        let length = nflog_get_payload(data, &raw mut payload);
        assert_eq!(usize::try_from(length).ok(), packet.payload().map(<[u8]>::len));
        assert_eq!(payload.is_null(), packet.payload().is_none());
        let mut time = timeval { tv_sec: 0, tv_usec: 0 };
        let timed = nflog_get_timestamp(data, &raw mut time) == 0;
        assert!(timed || packet.timestamp().is_none());
    }
    let _ = (packet.vlan(), packet.conntrack_info(), packet.link_header(), packet.prefix_lossy());
    assert!(packet.copied().is_ok_and(|copy| copy.packet().message() == packet.message()));
}

/// A text is the beginning of the whole text, whatever the buffer's size.
fn print(message: &[u8], flags: u32, size: usize) {
    let Some(packet) = Packet::read(message) else { return };
    let attributes = Attributes::of(&Message::first(message).unwrap());
    let mut data = Data::of(&attributes);
    let mut print = |room: &mut [u8]| {
        let data = (&raw mut data).cast();
        // SAFETY: a packet, and a buffer of its size.
        let length = unsafe {
            nflog_snprintf_xml(room.as_mut_ptr().cast(), room.len(), data, flags as c_int)
        };
        usize::try_from(length).unwrap()
    };
    let mut whole = vec![0; 10 * message.len() + ELEMENTS];
    let length = print(&mut whole);
    assert!(length < whole.len() && whole[length] == 0);
    let mut cut = vec![0xaa; size];
    assert_eq!(print(&mut cut), length);
    let fits = length.min(size.saturating_sub(1));
    assert!(cut[..fits] == whole[..fits] && cut.get(fits).is_none_or(|byte| *byte == 0));
    assert_eq!(packet.xml(XmlParts::from_bits_retain(flags)).write(&mut []), length);
}

/// What the functions of libmnl's manner make of a message: its attributes, as far as they are right.
fn parse(message: &[u8], flags: u32) {
    let mut places = [null_mut(); 20];
    let (nlh, array) = (message.as_ptr().cast(), places.as_mut_ptr());
    let mut room = vec![0 as c_char; 10 * message.len() + ELEMENTS];
    // SAFETY: a message of the length that it says, an array of 20 places, a buffer of its size.
    let (result, length) = unsafe {
        let result = nflog_nlmsg_parse(nlh, array);
        (result, nflog_nlmsg_snprintf(room.as_mut_ptr(), room.len(), nlh, array, 0, flags))
    };
    assert!(result == 1 || result == -1);
    assert!(usize::try_from(length).is_ok_and(|length| length < room.len()));
    let inside = message.as_ptr_range();
    assert!(
        places.iter().all(|place| place.is_null() || inside.contains(&place.cast_const().cast()))
    );
}

/// A message of a header and some attributes, which are found in it again.
fn build(input: &mut Input<'_>) {
    let (kind, family, group) = (input.u8(), input.u8(), input.u16());
    let count = usize::from(kind % 8);
    let mut room = vec![0xaa_u8; 20 + 20 * count];
    let start = room.as_mut_ptr();
    // SAFETY: the buffer has room for the header, and for both attributes as often as they are put.
    unsafe {
        let nlh = nflog_nlmsg_put_header(start.cast(), kind, family, group);
        for _ in 0..count {
            assert_eq!(nflog_attr_put_cfg_cmd(nlh, input.u8()), 0);
            assert_eq!(nflog_attr_put_cfg_mode(nlh, input.u8(), input.u16().into()), 0);
        }
    }
    let message = Message::first(&room).unwrap();
    assert_eq!((message.bytes().len(), message.number()), (room.len(), kind));
    assert_eq!((message.family(), message.resource()), (family, group));
}
