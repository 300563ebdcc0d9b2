//! The calls at work on a handle of C, one inside a callback of another.
//!
//! What a call must release is here and not on its stack: a jump or a cancellation leaves the stack
//! without running any of its code.
#![forbid(unsafe_code)]

use std::collections::TryReserveError;

/// Where a call is at work, from which it may never come back.
pub(crate) trait AtWork: Copy {
    /// Whether a call at work here is known to be over at `now`.
    fn is_over(&self, now: &Self) -> bool;
}

/// Names a call at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token(u64);

/// A call at work.
struct Call<W, H> {
    token: Token,
    place: W,
    held: H,
}

/// Calls at work. `W` is where one is at work, `H` what it holds until it is over.
pub(crate) struct Nested<W, H> {
    /// The innermost one is last.
    calls: Vec<Call<W, H>>,
    last_token: u64,
}

impl<W, H> Default for Nested<W, H> {
    fn default() -> Self {
        Self { calls: Vec::new(), last_token: 0 }
    }
}

impl<W: AtWork, H: Default> Nested<W, H> {
    /// Notes that a call begins its work at `place`, from where `now` is: calls that are over then
    /// are forgotten.
    pub(crate) fn enter(&mut self, now: &W, place: W) -> Result<Token, TryReserveError> {
        self.forget_what_is_over(now);
        self.add(place)
    }

    /// Notes that a call begins its work at `place`, inside the others.
    pub(crate) fn add(&mut self, place: W) -> Result<Token, TryReserveError> {
        self.calls.try_reserve(1)?;
        self.last_token += 1;
        let token = Token(self.last_token);
        self.calls.push(Call { token, place, held: H::default() });
        Ok(token)
    }

    fn forget_what_is_over(&mut self, now: &W) {
        while self.calls.last().is_some_and(|call| call.place.is_over(now)) {
            self.calls.pop();
        }
    }

    /// Notes that a call is over, and what it called.
    pub(crate) fn leave(&mut self, token: Token) {
        if let Some(at) = self.calls.iter().rposition(|call| call.token == token) {
            self.calls.truncate(at);
        }
    }

    /// Whether no call is at work at `now`.
    pub(crate) fn are_over(&mut self, now: &W) -> bool {
        self.forget_what_is_over(now);
        self.is_empty()
    }

    /// Whether no call is at work.
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Whether a call is inside another.
    pub(crate) fn is_nested(&self, token: Token) -> bool {
        self.calls.first().is_some_and(|outermost| outermost.token != token)
    }

    /// Where a call is at work; `None` if it is over.
    pub(crate) fn place(&self, token: Token) -> Option<W> {
        self.calls.iter().rev().find(|call| call.token == token).map(|call| call.place)
    }

    /// What a call holds; `None` if it is over.
    pub(crate) fn held(&mut self, token: Token) -> Option<&mut H> {
        let call = self.calls.iter_mut().rev().find(|call| call.token == token);
        call.map(|call| &mut call.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    /// A place on a stack that grows down: it is over where the stack ends above it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    struct Depth(u32);

    impl AtWork for Depth {
        fn is_over(&self, now: &Self) -> bool {
            now.0 <= self.0
        }
    }

    #[test]
    fn calls_that_never_came_back_are_forgotten_with_what_they_hold() {
        let mut calls = Nested::<Depth, Option<Rc<()>>>::default();
        let outer = calls.enter(&Depth(0), Depth(1)).unwrap();
        let kept = Rc::new(());
        for depth in [4, 7] {
            let inner = calls.enter(&Depth(depth - 1), Depth(depth)).unwrap();
            *calls.held(inner).unwrap() = Some(kept.clone());
        }
        assert_eq!(Rc::strong_count(&kept), 3);
        let next = calls.enter(&Depth(3), Depth(4)).unwrap();
        assert_eq!(Rc::strong_count(&kept), 1);
        assert!(calls.held(outer).is_some() && calls.held(next).is_some());
        assert!(!calls.are_over(&Depth(2)) && calls.are_over(&Depth(0)));
        assert_eq!(calls.held(outer), None);
    }

    #[test]
    fn a_call_takes_those_inside_it_along() {
        let mut calls = Nested::<Depth, ()>::default();
        let outer = calls.enter(&Depth(0), Depth(1)).unwrap();
        let middle = calls.enter(&Depth(3), Depth(4)).unwrap();
        let inner = calls.add(Depth(4)).unwrap();
        assert_eq!([outer, middle, inner].map(|call| calls.is_nested(call)), [false, true, true]);
        assert_eq!(calls.place(inner), Some(Depth(4)));
        calls.leave(middle);
        assert_eq!([inner, middle].map(|call| calls.place(call)), [None; 2]);
        calls.leave(middle);
        assert!(calls.held(outer).is_some() && !calls.is_empty());
        calls.leave(outer);
        assert!(calls.is_empty());
    }
}
