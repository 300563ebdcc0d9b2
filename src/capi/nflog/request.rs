//! Requests: sent, and answered among the packets that come through the same socket.
//!
//! As in [`dispatch`](super::dispatch), no frame between a callback and C has anything to drop.
//! Nothing is waited for, so the system calls are no points of cancellation.

use super::dispatch;
use super::state::State;
use super::types::nflog_g_handle;
use crate::capi::ffi::boundary::{boundary, errno, set_errno};
use crate::capi::ffi::cancel::without_cancellation;
use crate::capi::ffi::error::Error;
use crate::nested::Token;
use crate::netlink::message::Message;
use crate::netlink::socket::Socket;
use crate::nflog::config::{BUFFER_SIZES, CONFIG_SIZE, Command, Config, Setting};
use crate::nflog::datagram::{DATAGRAM_SIZE, Found};
use crate::nflog::request::{Asking, Step};
use libc::c_int;

/// Batches that the receive buffer has room for once their size was set.
const BATCHES: usize = 10;

/// What the kernel is asked for.
#[derive(Clone, Copy)]
pub(super) enum Task {
    Family(u8, Command),
    Bind(u16),
    Unbind(u16),
    Set(u16, Setting),
}

impl Task {
    fn command(self) -> Option<Command> {
        match self {
            Self::Family(_, command) => Some(command),
            Self::Bind(_) => Some(Command::Bind),
            Self::Unbind(_) => Some(Command::Unbind),
            Self::Set(..) => None,
        }
    }

    fn build(self, buffer: &mut [u8], seq: u32) -> Result<usize, Error> {
        Ok(match self {
            Self::Family(family, command) => Config::of_family(family, command).build(buffer, seq),
            Self::Bind(group) => Config::command(group, Command::Bind).build(buffer, seq),
            Self::Unbind(group) => Config::command(group, Command::Unbind).build(buffer, seq),
            Self::Set(group, setting) => Config::settings(group, &[setting]).build(buffer, seq),
        }?)
    }
}

/// A request at work, as far as it is on the stack.
struct Loop {
    state: *mut State,
    token: Token,
    asking: Asking,
    message: [u8; CONFIG_SIZE],
    length: usize,
}

const _: () = assert!(!std::mem::needs_drop::<Task>() && !std::mem::needs_drop::<Loop>());

/// What the loop does next.
enum Next<'a> {
    /// Hand this message to what it goes to.
    Deliver(Message<'a>),
    /// Hand on what was kept, for it came before what is to be received.
    DeliverKept,
    /// The request was done.
    Done,
}

/// Makes a request of a handle, and returns 0, or -1 with `errno`; of [`Task::Bind`] the group.
///
/// # Safety
/// `state` is a live handle; `above` is in a frame above this one.
#[inline(never)]
pub(super) unsafe fn run(
    state: *mut State,
    above: *const u8,
    task: Task,
) -> (c_int, *mut nflog_g_handle) {
    let (before, mark) = (errno(), 0u8);
    let failed = (-1, std::ptr::null_mut());
    // SAFETY: the handle is live, and the call at work on it until it leaves.
    unsafe {
        let Some(token) = dispatch::enter(state, above, &raw const mark) else { return failed };
        let begun = boundary(None, || (*state).begin(token, task).map(Some));
        let mut result = failed;
        if let Some((asking, message, length)) = begun {
            let done = Loop { state, token, asking, message, length }.work();
            result = boundary(failed, || (*state).end_of(task, done).map(|group| (0, group)));
            if !done {
                result = failed;
            }
        }
        let after = if result.0 == 0 { before } else { errno() };
        dispatch::deliver_kept(state, token);
        let closed = (*state).is_closed();
        State::leave(state, token);
        if closed {
            set_errno(libc::EBADF);
            return failed;
        }
        set_errno(after);
        result
    }
}

impl State {
    /// Begins a request, and builds its message.
    fn begin(
        &mut self,
        token: Token,
        task: Task,
    ) -> Result<(Asking, [u8; CONFIG_SIZE], usize), Error> {
        if self.is_closed() {
            return Err(Error::CLOSED);
        }
        self.held(token)?.room.try_reserve_exact(DATAGRAM_SIZE)?;
        let again = match task {
            Task::Bind(number) => self.begin_to_bind(token, number)?,
            Task::Unbind(number) => self.begin_to_unbind(token, number)?,
            Task::Family(..) | Task::Set(..) => false,
        };
        // Programs may make requests of their own with libnfnetlink.
        let seq = self.block().seq;
        self.requests.set_last_seq(seq);
        let mut asking = self.requests.begin(task.command());
        if again {
            asking.was_made_before();
        }
        self.block().seq = asking.seq();
        let mut message = [0; CONFIG_SIZE];
        let length = task.build(&mut message, asking.seq())?;
        Ok((asking, message, length))
    }

    /// Notes what came of a request. Of [`Task::Bind`] the group.
    fn end_of(&mut self, task: Task, done: bool) -> Result<*mut nflog_g_handle, Error> {
        match task {
            Task::Bind(number) => return Ok(self.end_to_bind(number, done)),
            Task::Unbind(number) => self.end_to_unbind(number, done),
            Task::Set(_, Setting::BufferSize(bytes)) if done => self.make_room_for(bytes),
            Task::Family(..) | Task::Set(..) => {}
        }
        Ok(std::ptr::null_mut())
    }

    /// Makes the receive buffer ten times as large as batches of so many bytes, if it is smaller and the
    /// kernel makes such batches.
    fn make_room_for(&self, bytes: u32) {
        if !BUFFER_SIZES.contains(&bytes) {
            return;
        }
        let wanted = bytes as usize * BATCHES;
        // Without privileges the system may allow less than there is, so another socket tries first.
        let allowed = || Socket::open()?.set_receive_buffer(wanted);
        if self
            .socket
            .receive_buffer()
            .is_ok_and(|size| size < wanted && allowed().is_ok_and(|allowed| allowed > size))
        {
            let _ = self.socket.set_receive_buffer(wanted);
        }
    }

    /// What the loop of a request does next: sends, receives, and finds out.
    fn advance<'a>(
        &mut self,
        token: Token,
        asking: &mut Asking,
        message: &[u8],
    ) -> Result<Next<'a>, Error> {
        loop {
            if self.is_closed() {
                return Err(Error::CLOSED);
            }
            let datagram = std::ptr::from_ref(self.held(token)?.room.as_slice());
            // SAFETY: the room is the call's until it is over, and what was received into it stays as
            // it is until the next is.
            let step = self.requests.step(asking, unsafe { &*datagram });
            let nested = self.calls.is_nested(token);
            match step {
                Step::Message(Found::Packet(found) | Found::Other(found)) => {
                    // Inside another call packets wait, or each might bring about the next.
                    if !nested || self.kept.keep(&found).is_err() {
                        return Ok(Next::Deliver(found));
                    }
                }
                Step::Message(Found::Answer { .. }) => {}
                _ if !nested && !self.kept.is_empty() => return Ok(Next::DeliverKept),
                Step::Send => asking.sent(self.socket.send(message))?,
                Step::Receive => {
                    let room = &mut self.calls.held(token).ok_or(Error::CLOSED)?.room;
                    asking.received(self.socket.receive(room))?;
                }
                Step::End(result) => return Ok(result.map(|()| Next::Done)?),
            }
        }
    }
}

impl Loop {
    /// Whether the request was done; if not, `errno` says why.
    ///
    /// # Safety
    /// The call is at work.
    unsafe fn work(&mut self) -> bool {
        let Self { state, token, .. } = *self;
        loop {
            let next = without_cancellation(|| {
                boundary(None, || {
                    let message = self.message.get(..self.length).unwrap_or_default();
                    // SAFETY: the call at work keeps the handle from being freed; the reference into
                    // it ends before anything of the program runs.
                    let this = unsafe { &mut *state };
                    this.advance(token, &mut self.asking, message).map(Some)
                })
            });
            // SAFETY: the call is at work until this returns.
            unsafe {
                match next {
                    Some(Next::Deliver(message)) => {
                        // What nobody waits for is dropped.
                        let verdict = dispatch::deliver(state, token, &message);
                        if verdict.is_some_and(|verdict| verdict < 0) {
                            self.skip_rest();
                        }
                    }
                    Some(Next::DeliverKept) => dispatch::deliver_kept(state, token),
                    Some(Next::Done) => return true,
                    None => return false,
                }
            }
        }
    }

    /// Drops the rest of the datagram, as a callback wants no more of it.
    ///
    /// # Safety
    /// The call is at work.
    unsafe fn skip_rest(&mut self) {
        boundary((), || {
            // SAFETY: the call at work keeps the handle from being freed.
            let datagram = unsafe { &(*self.state).held(self.token)?.room };
            self.asking.skip_rest(datagram);
            Ok(())
        });
    }
}
