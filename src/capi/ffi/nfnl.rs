//! The handle block of libnfnetlink, laid out as its library lays it out.
//!
//! `nfct_nfnlh` hands the block out and `nfct_open_nfnl` accepts one, so programs may call the real
//! libnfnetlink on it. Its parts come from the C allocator, as that library frees them.

use super::error::Error;
use crate::netlink::message::{ATTRIBUTE_HEADER_SIZE, Attributes, Message};
use crate::netlink::socket::Socket;
use libc::{c_int, c_void, nlmsghdr, sockaddr_nl};

/// What libnfnetlink receives into unless a program asks for another size.
const BUFFER_SIZE: u32 = 8192;

/// The flag by which libnfnetlink compares the numbers of answers with that of the last request.
const TRACKING: u32 = 1;

/// Number of subsystems a block has room for.
pub(in crate::capi) const SUBSYSTEMS: usize = 17;

/// `struct nfnl_handle`.
#[repr(C)]
pub(in crate::capi) struct Block {
    pub(in crate::capi) fd: c_int,
    local: sockaddr_nl,
    peer: sockaddr_nl,
    subscriptions: u32,
    /// The number of the last request.
    pub(in crate::capi) seq: u32,
    dump: u32,
    /// What a program asked the receive buffer to be.
    pub(in crate::capi) rcv_buffer_size: u32,
    /// [`TRACKING`] or nothing.
    pub(in crate::capi) flags: u32,
    last_nlhdr: *mut nlmsghdr,
    subsys: [Subsystem; SUBSYSTEMS],
}

/// `struct nfnl_subsys_handle`; not open while `cb` is NULL.
#[repr(C)]
struct Subsystem {
    nfnlh: *mut Block,
    subscriptions: u32,
    subsys_id: u8,
    cb_count: u8,
    cb: *mut Callback,
}

/// The function of a `struct nfnl_callback`.
pub(in crate::capi) type CallbackFunction =
    unsafe extern "C-unwind" fn(*mut nlmsghdr, *mut *mut c_void, *mut c_void) -> c_int;

/// `struct nfnl_callback`: what a message number of a subsystem goes to.
#[derive(Clone, Copy)]
#[repr(C)]
pub(in crate::capi) struct Callback {
    pub(in crate::capi) call: Option<CallbackFunction>,
    pub(in crate::capi) data: *mut c_void,
    /// Number of attributes the function is handed; 0 where none was ever registered.
    pub(in crate::capi) attr_count: u16,
}

const _: () = assert!(
    size_of::<*const ()>() != 8
        || (size_of::<Block>() == 464
            && size_of::<Subsystem>() == 24
            && size_of::<Callback>() == 24)
);

/// Fills the table that a function registered with libnfnetlink is handed: `count` pointers to the
/// attributes of a message, by number less 1.
pub(in crate::capi) fn point_at_attributes(
    table: &mut Vec<*mut c_void>,
    count: u16,
    message: &Message<'_>,
) -> Result<(), Error> {
    table.clear();
    table.try_reserve_exact(count.into())?;
    table.resize(count.into(), std::ptr::null_mut());
    for attribute in Attributes::new(message.attributes()) {
        let at = usize::from(attribute.kind).checked_sub(1);
        if let Some(slot) = at.and_then(|at| table.get_mut(at)) {
            let value = attribute.value.as_ptr().cast_mut();
            *slot = value.wrapping_sub(ATTRIBUTE_HEADER_SIZE).cast::<c_void>();
        }
    }
    Ok(())
}

/// What is registered for a subsystem.
#[derive(Clone, Copy)]
pub(in crate::capi) struct Registration {
    pub(in crate::capi) id: u8,
    /// How many kinds of messages it has.
    pub(in crate::capi) messages: u8,
    /// Its highest attribute.
    pub(in crate::capi) attributes: u16,
    /// The messages that are heard.
    pub(in crate::capi) heard: &'static [u8],
}

impl Block {
    /// A block for a socket that is bound.
    ///
    /// # Errors
    /// [`Error::OUT_OF_MEMORY`], and those of the socket.
    pub(in crate::capi) fn create(socket: &Socket) -> Result<*mut Self, Error> {
        let port = socket.port()?;
        // SAFETY: calloc takes any size.
        let block: *mut Self = unsafe { libc::calloc(1, size_of::<Self>()) }.cast();
        // SAFETY: all zero bytes are a value of this struct of integers and nullable pointers.
        let Some(this) = (unsafe { block.as_mut() }) else { return Err(Error::OUT_OF_MEMORY) };
        this.fd = socket.fd();
        this.local.nl_family = libc::AF_NETLINK as libc::sa_family_t;
        this.local.nl_pid = port;
        this.peer.nl_family = libc::AF_NETLINK as libc::sa_family_t;
        // SAFETY: time takes NULL.
        this.seq = unsafe { libc::time(std::ptr::null_mut()) } as u32;
        this.rcv_buffer_size = BUFFER_SIZE;
        this.flags = TRACKING;
        Ok(block)
    }

    /// Frees a block and the callbacks of its subsystems; its descriptor is left alone.
    ///
    /// # Safety
    /// `block` came from `create` or from libnfnetlink and is not used again.
    pub(in crate::capi) unsafe fn free(block: *mut Self) {
        // SAFETY: the block is live; libc's free takes NULL, and what libc's calloc gave.
        unsafe {
            for subsystem in &(*block).subsys {
                libc::free(subsystem.cb.cast());
            }
            libc::free(block.cast());
        }
    }

    fn subsystem(&mut self, id: u8) -> Option<&mut Subsystem> {
        self.subsys.get_mut(usize::from(id))
    }

    /// Whether a subsystem is open.
    pub(in crate::capi) fn is_open(&self, id: u8) -> bool {
        self.subsys.get(usize::from(id)).is_some_and(|subsystem| !subsystem.cb.is_null())
    }

    /// Opens a subsystem of ours and binds the socket to its groups.
    ///
    /// # Errors
    /// [`Error::ALREADY_OPEN`]; `EPERM` for groups without `CAP_NET_ADMIN`.
    pub(in crate::capi) fn open(
        &mut self,
        socket: &Socket,
        subsystem: &Registration,
        groups: u32,
    ) -> Result<(), Error> {
        let Registration { id, messages: count, .. } = *subsystem;
        if self.is_open(id) {
            return Err(Error::ALREADY_OPEN);
        }
        let bound = self.subsys.iter().fold(self.subscriptions, |all, one| all | one.subscriptions);
        socket.bind(self.local.nl_pid, bound | groups)?;
        // SAFETY: calloc takes any size.
        let cb: *mut Callback = unsafe { libc::calloc(count.into(), size_of::<Callback>()) }.cast();
        if cb.is_null() {
            return Err(Error::OUT_OF_MEMORY);
        }
        let this: *mut Self = self;
        self.local.nl_groups = bound | groups;
        self.subscriptions = bound | groups;
        if let Some(slot) = self.subsystem(id) {
            *slot = Subsystem {
                nfnlh: this,
                subscriptions: groups,
                subsys_id: id,
                cb_count: count,
                cb,
            };
        }
        Ok(())
    }

    /// Closes a subsystem.
    pub(in crate::capi) fn close(&mut self, id: u8) {
        if let Some(slot) = self.subsystem(id) {
            // SAFETY: the array came from calloc and is not used again.
            unsafe { libc::free(slot.cb.cast()) };
            slot.cb = std::ptr::null_mut();
            slot.cb_count = 0;
            slot.subscriptions = 0;
        }
    }

    /// The callback of a message number; `None` if the subsystem is not open or lacks the number.
    pub(in crate::capi) fn callback(&self, id: u8, number: u8) -> Option<Callback> {
        let slot = self.subsys.get(usize::from(id)).filter(|slot| !slot.cb.is_null())?;
        // SAFETY: an open subsystem has an array of `cb_count` callbacks.
        (number < slot.cb_count).then(|| unsafe { *slot.cb.add(number.into()) })
    }

    /// Sets what creations, changes and deletions in a subsystem of ours go to.
    ///
    /// # Errors
    /// [`Error::NOT_OPEN`].
    pub(in crate::capi) fn hook(
        &mut self,
        subsystem: &Registration,
        call: Option<CallbackFunction>,
        data: *mut c_void,
    ) -> Result<(), Error> {
        let Registration { id, attributes: attr_count, heard, .. } = *subsystem;
        if !self.is_open(id) {
            return Err(Error::NOT_OPEN);
        }
        for number in heard {
            let Some(before) = self.callback(id, *number) else { continue };
            let Some(slot) = self.subsystem(id) else { continue };
            let after = match call {
                Some(_) => Callback { call, data, attr_count },
                None => Callback { call, ..before },
            };
            // SAFETY: `callback` found the number in the array.
            unsafe { *slot.cb.add((*number).into()) = after };
        }
        Ok(())
    }
}
