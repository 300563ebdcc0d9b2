//! Recorded answers about logged packets: every line of `goldens/nflog.jsonl` that needs no socket,
//! through the functions of C.

use capi_tests::corpus::{host_order, unhex};
use ctrs::capi::nflog::data::{Attributes, Data};
use ctrs::capi::nflog::nlmsg::{
    nflog_attr_put_cfg_cmd, nflog_attr_put_cfg_mode, nflog_nlmsg_parse, nflog_nlmsg_put_header,
    nflog_nlmsg_snprintf,
};
use ctrs::capi::nflog::packet::*;
use ctrs::capi::nflog::print::nflog_snprintf_xml;
use ctrs::capi::nflog::time::timeval;
use ctrs::capi::nflog::types::nflog_data;
use ctrs::conntrack::object::entry::Conntrack;
use ctrs::conntrack::wire::decode;
use ctrs::netlink::message::Message;
use ctrs::nflog::packet::Packet;
use ctrs::nflog::xml::{self, XmlParts};
use ctrs::text::time::{CivilTime, Clock, Utc};
use ctrs::text::writer::Writer;
use serde_json::{Value, json};
use std::ffi::{CStr, c_char, c_int};
use std::ptr::null_mut;

/// How many lines of each kind there are.
const LINES: [(&str, usize); 6] =
    [("packet", 346), ("xml-size", 8), ("when", 11), ("nlmsg", 102), ("build", 99), ("ct", 24)];

#[test]
fn every_line_is_looked_at() {
    let goldens = include_str!("../goldens/nflog.jsonl");
    let mut seen = [0; LINES.len()];
    for line in goldens.lines() {
        let golden: Value = serde_json::from_str(line).unwrap();
        let kind = golden["kind"].as_str().unwrap();
        match kind {
            "packet" => packet(&golden),
            "xml-size" => every_size(&golden),
            "when" => when(&golden),
            "nlmsg" => parsed(&golden),
            "build" => built(&golden),
            "ct" => flow(&golden),
            // Of sockets.
            "request" | "datagram" => continue,
            kind => panic!("{kind}"),
        }
        seen[LINES.iter().position(|(of, _)| *of == kind).unwrap()] += 1;
    }
    assert_eq!(seen, LINES.map(|(_, lines)| lines));
}

fn message(golden: &Value) -> Vec<u8> {
    host_order(unhex(golden["msg"].as_str().unwrap()))
}

/// Bytes as the goldens have them: text where it is some.
fn told(bytes: &[u8]) -> Value {
    let hex = || json!({"hex": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()});
    std::str::from_utf8(bytes).map_or_else(|_| hex(), Value::from)
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap()
}

fn set_errno(errno: i32) {
    // SAFETY: the address of this thread's errno.
    unsafe { *libc::__errno_location() = errno };
}

/// Where a pointer into a message points, `null` for NULL.
fn offset<T>(message: &[u8], pointer: *const T) -> Value {
    if pointer.is_null() {
        return Value::Null;
    }
    let offset = pointer as usize - message.as_ptr() as usize;
    assert!(offset <= message.len());
    json!(offset)
}

/// What a getter of a number stores, `null` if it stores none.
fn number(
    data: *mut nflog_data,
    get: unsafe extern "C" fn(*mut nflog_data, *mut u32) -> c_int,
) -> Value {
    let mut number = 0xdead_beef;
    // SAFETY: a packet, and room for a number.
    match unsafe { get(data, &raw mut number) } {
        0 => json!(number),
        result => {
            assert_eq!((result, number), (-1, 0xdead_beef));
            Value::Null
        }
    }
}

/// All that the getters tell of a packet.
fn all(message: &[u8], data: *mut nflog_data) -> Value {
    set_errno(7);
    // SAFETY: a packet, whose attributes are in the message; room for what is stored.
    let told = unsafe {
        let header = nflog_get_msg_packet_hdr(data);
        let hw = nflog_get_packet_hw(data);
        let prefix = nflog_get_prefix(data);
        let mut time = timeval { tv_sec: 1, tv_usec: 2 };
        let timed = nflog_get_timestamp(data, &raw mut time);
        assert!(timed == 0 || (timed, time.tv_sec, time.tv_usec) == (-1, 1, 2));
        let mut payload = std::ptr::dangling_mut();
        let length = nflog_get_payload(data, &raw mut payload);
        assert!(length >= 0 || (length, payload) == (-1, null_mut()));
        let hwhdr = nflog_get_msg_packet_hwhdr(data);
        json!({
            "hdr": header.as_ref().map(|it| json!({
                "off": offset(message, header),
                "hw_protocol": u16::from_be(it.hw_protocol),
                "hook": it.hook,
            })),
            "hwtype": nflog_get_hwtype(data),
            "hwhdrlen": nflog_get_msg_packet_hwhdrlen(data),
            "hwhdr": offset(message, hwhdr),
            "nfmark": nflog_get_nfmark(data),
            "timestamp": (timed == 0).then(|| json!([time.tv_sec, time.tv_usec])),
            "indev": nflog_get_indev(data),
            "physindev": nflog_get_physindev(data),
            "outdev": nflog_get_outdev(data),
            "physoutdev": nflog_get_physoutdev(data),
            "packet_hw": hw.as_ref().map(|it| json!({
                "off": offset(message, hw),
                "addrlen": u16::from_be(it.hw_addrlen),
                "addr": it.hw_addr.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            })),
            "payload": (length >= 0).then(|| json!({
                "len": length, "off": offset(message, payload),
            })),
            "prefix": (!prefix.is_null()).then(|| json!({
                "off": offset(message, prefix), "text": self::told(CStr::from_ptr(prefix).to_bytes()),
            })),
            "uid": number(data, nflog_get_uid),
            "gid": number(data, nflog_get_gid),
            "seq": number(data, nflog_get_seq),
            "seq_global": number(data, nflog_get_seq_global),
            "ctid": number(data, nflog_get_ctid),
        })
    };
    assert_eq!(errno(), 7, "what is absent is no error");
    told
}

/// The text that `print` prints, checked to be cut as `snprintf` cuts it.
fn text(print: impl Fn(*mut c_char, usize) -> c_int) -> (c_int, Value) {
    let mut room = vec![0xaa_u8; 1 << 18];
    let length = print(room.as_mut_ptr().cast(), room.len());
    assert_eq!(print(null_mut(), 0), length);
    let whole = room[..usize::try_from(length).unwrap()].to_vec();
    assert_eq!(room[whole.len()..][..2], [0, 0xaa]);
    for size in [1, whole.len() / 2 + 1, whole.len()] {
        let mut cut = vec![0xaa_u8; size + 1];
        assert_eq!(print(cut.as_mut_ptr().cast(), size), length);
        assert_eq!((&cut[..size - 1], &cut[size - 1..]), (&whole[..size - 1], &[0, 0xaa][..]));
    }
    (length, told(&whole))
}

/// What was recorded where times have 64 bits, as programs of this machine have it.
fn told_here(recorded: &Value) -> Value {
    let mut told = recorded.clone();
    if let Some([seconds, micros]) = recorded["timestamp"].as_array().map(Vec::as_slice) {
        let [seconds, micros] = [seconds, micros].map(|number| number.as_i64().unwrap());
        told["timestamp"] = json!([seconds as libc::time_t, micros as libc::suseconds_t]);
    }
    told
}

fn packet(golden: &Value) {
    let name = &golden["name"];
    let message = message(golden);
    let attributes = Attributes::of(&Message::first(&message).unwrap());
    let mut data = Data::of(&attributes);
    let data: *mut nflog_data = (&raw mut data).cast();
    assert_eq!(all(&message, data), told_here(&golden["get"]), "{name}");
    for xml in golden["xml"].as_array().unwrap() {
        let flags = xml[0].as_u64().unwrap() as u32;
        // SAFETY: a packet, and a buffer of the size that is said.
        let (length, text) =
            text(|buffer, size| unsafe { nflog_snprintf_xml(buffer, size, data, flags as c_int) });
        assert_eq!(json!([flags, length, text]), *xml, "{name}");
        let packet = Packet::read(&message).unwrap().xml(XmlParts::from_bits_retain(flags));
        assert_eq!(packet.write(&mut []), length as usize, "{name}, of Rust");
    }
}

fn every_size(golden: &Value) {
    let message = message(golden);
    let attributes = Attributes::of(&Message::first(&message).unwrap());
    let mut data = Data::of(&attributes);
    let flags = golden["flags"].as_u64().unwrap() as c_int;
    for expected in golden["sizes"].as_array().unwrap() {
        let size = expected[0].as_u64().unwrap() as usize;
        let mut room = vec![0xaa_u8; size + 1];
        let place = if size == 0 { null_mut() } else { room.as_mut_ptr().cast() };
        // SAFETY: a packet, and a buffer of the size that is said.
        let length = unsafe { nflog_snprintf_xml(place, size, (&raw mut data).cast(), flags) };
        let text = CStr::from_bytes_until_nul(&room).map(|text| told(text.to_bytes()));
        assert_eq!(json!([size, length, text.ok()]), *expected, "{}", golden["name"]);
        assert_eq!(room[size], 0xaa);
    }
}

/// A clock that stands still.
struct Stopped(i64);

impl Clock for Stopped {
    fn now(&self) -> i64 {
        self.0
    }

    fn local(&self, seconds: i64, reread_zone: bool) -> Option<CivilTime> {
        Utc.local(seconds, reread_zone)
    }
}

fn when(golden: &Value) {
    let message = message(golden);
    let packet = Packet::read(&message).unwrap();
    let clock = Stopped(golden["time"].as_i64().unwrap());
    for expected in golden["xml"].as_array().unwrap() {
        let flags = expected[0].as_u64().unwrap() as u32;
        let mut room = [0; 1024];
        let mut out = Writer::new(&mut room);
        xml::print(&mut out, &packet, XmlParts::from_bits_retain(flags), &clock);
        let length = out.finish();
        assert_eq!(json!([flags, length, told(&room[..length])]), *expected, "{}", golden["name"]);
    }
}

fn parsed(golden: &Value) {
    let name = &golden["name"];
    let message = message(golden);
    let mut places = [null_mut(); 22];
    let array = places.as_mut_ptr();
    // SAFETY: the message has the length that it says, the array more than the 20 places that it
    // needs.
    let result = unsafe { nflog_nlmsg_parse(message.as_ptr().cast(), array) };
    assert_eq!(json!(result), golden["parse"], "{name}");
    if result < 0 {
        assert_eq!(json!(errno()), errno_here(&golden["errno"]), "{name}");
    }
    let found = places.iter().enumerate().filter(|(_, place)| !place.is_null());
    let found = found.map(|(at, place)| (at.to_string(), offset(&message, *place)));
    assert_eq!(Value::Object(found.collect()), golden["tb"], "{name}");
    for expected in golden["print"].as_array().unwrap() {
        let [format, flags] = [0, 1].map(|at| expected[at].as_u64().unwrap() as u32);
        // SAFETY: the array that was filled, and a buffer of the size that is said.
        let print = |buffer, size| unsafe {
            let nlh = message.as_ptr().cast();
            nflog_nlmsg_snprintf(buffer, size, nlh, array, format, flags)
        };
        set_errno(0);
        let got = match print(null_mut(), 0) {
            -1 => json!([format, flags, -1, errno(), null]),
            _ => {
                let (length, text) = text(print);
                json!([format, flags, length, errno(), text])
            }
        };
        let mut expected = expected.clone();
        expected[3] = errno_here(&expected[3]);
        assert_eq!(got, expected, "{name}");
    }
}

/// An error as most machines number it, by the number of this one.
fn errno_here(recorded: &Value) -> Value {
    match recorded.as_i64() {
        Some(74) => libc::EBADMSG.into(),
        Some(95) => libc::EOPNOTSUPP.into(),
        _ => recorded.clone(),
    }
}

fn built(golden: &Value) {
    let mut room = [0xaa_u8; 1024];
    let start = room.as_mut_ptr();
    let mut results = Vec::new();
    for call in golden["calls"].as_array().unwrap() {
        let [a, b, c] = [1, 2, 3].map(|at| call[at].as_u64().unwrap_or(0));
        // SAFETY: the buffer has room for some 80 attributes.
        results.push(unsafe {
            match call[0].as_str().unwrap() {
                "header" => {
                    let header = nflog_nlmsg_put_header(start.cast(), a as u8, b as u8, c as u16);
                    header as i64 - start as i64
                }
                "cmd" => nflog_attr_put_cfg_cmd(start.cast(), a as u8).into(),
                "mode" => nflog_attr_put_cfg_mode(start.cast(), a as u8, b as u32).into(),
                call => panic!("{call}"),
            }
        });
    }
    assert_eq!(json!(results), golden["rets"], "{}", golden["name"]);
    let expected = message(golden);
    assert_eq!(room[..expected.len()], expected, "{}", golden["name"]);
    assert!(room[expected.len()..].iter().all(|byte| *byte == 0xaa), "{}", golden["name"]);
}

fn flow(golden: &Value) {
    let message = message(golden);
    let packet = Packet::read(&message).unwrap();
    let info = packet.attribute(19).map(|it| u32::from_be_bytes(it.try_into().unwrap()));
    assert_eq!(json!(info), golden["ct_info"]);
    let mut ct = Conntrack::new();
    let attributes = packet.conntrack_attributes().unwrap();
    decode::conntrack(&mut ct, attributes, packet.family()).unwrap();
    let masked = |line: &str| line.split(' ').map(masked).collect::<Vec<_>>().join(" ");
    assert_eq!(masked(&ct.to_string()), masked(golden["text"].as_str().unwrap()));
}

/// A word of a line, without the time that has passed.
fn masked(word: &str) -> &str {
    if word.starts_with("delta-time=") { "delta-time" } else { word }
}
