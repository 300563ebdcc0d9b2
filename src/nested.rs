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
    /// `None` until it is asked for: most calls hold nothing.
    held: Option<H>,
}

/// Calls at work. `W` is where one is at work, `H` what it holds until it is over.
pub(crate) struct Nested<W, H> {
    /// Apart, for most calls are inside no other: they take no memory, and nothing to look for.
    outermost: Option<Call<W, H>>,
    /// Those inside it; the innermost one is last.
    inside: Vec<Call<W, H>>,
    last_token: u64,
}

impl<W, H> Default for Nested<W, H> {
    fn default() -> Self {
        Self { outermost: None, inside: Vec::new(), last_token: 0 }
    }
}

impl<W: AtWork, H: Default> Nested<W, H> {
    /// Notes that a call begins its work at `place`; `None` if others are at work, or may be: that is
    /// for [`enter`](Self::enter).
    #[inline(always)]
    pub(crate) fn enter_alone(&mut self, place: W) -> Option<Token> {
        if !self.is_empty() {
            return None;
        }
        let token = self.next_token();
        self.outermost = Some(Call { token, place, held: None });
        Some(token)
    }

    /// Notes that a call begins its work at `place`, from where `now` is: calls that are over then
    /// are forgotten.
    #[inline]
    pub(crate) fn enter(&mut self, now: &W, place: W) -> Result<Token, TryReserveError> {
        match self.enter_alone(place) {
            Some(token) => Ok(token),
            None => self.enter_beside(now, place),
        }
    }

    #[cold]
    #[inline(never)]
    fn enter_beside(&mut self, now: &W, place: W) -> Result<Token, TryReserveError> {
        self.forget_what_is_over(now);
        self.add(place)
    }

    /// Notes that a call begins its work at `place`, inside the others.
    pub(crate) fn add(&mut self, place: W) -> Result<Token, TryReserveError> {
        if let Some(token) = self.enter_alone(place) {
            return Ok(token);
        }
        self.inside.try_reserve(1)?;
        let token = self.next_token();
        self.inside.push(Call { token, place, held: None });
        Ok(token)
    }

    #[inline(always)]
    fn next_token(&mut self) -> Token {
        self.last_token = self.last_token.wrapping_add(1);
        Token(self.last_token)
    }

    #[cold]
    #[inline(never)]
    fn forget_what_is_over(&mut self, now: &W) {
        let innermost = |this: &Self| Some(this.inside.last().or(this.outermost.as_ref())?.place);
        while innermost(self).is_some_and(|place| place.is_over(now)) {
            if self.inside.pop().is_none() {
                self.outermost = None;
            }
        }
    }

    /// Notes that a call is over, and what it called.
    #[inline(always)]
    pub(crate) fn leave(&mut self, token: Token) {
        match &self.outermost {
            Some(Call { token: one, held: None, .. })
                if *one == token && self.inside.is_empty() =>
            {
                // There is nothing to drop, and no code for that here.
                std::mem::forget(self.outermost.take());
            }
            _ => self.leave_and_drop(token),
        }
    }

    #[inline(never)]
    fn leave_and_drop(&mut self, token: Token) {
        if self.is_outermost(token) {
            self.inside.clear();
            self.outermost = None;
        } else if let Some(at) = self.inside.iter().rposition(|call| call.token == token) {
            self.inside.truncate(at);
        }
    }

    #[inline]
    fn is_outermost(&self, token: Token) -> bool {
        self.outermost.as_ref().is_some_and(|call| call.token == token)
    }

    #[inline]
    fn call(&mut self, token: Token) -> Option<&mut Call<W, H>> {
        let Self { outermost, inside, .. } = self;
        match outermost {
            Some(call) if call.token == token => Some(call),
            _ => inside.iter_mut().rev().find(|call| call.token == token),
        }
    }

    /// Whether no call is at work at `now`.
    pub(crate) fn are_over(&mut self, now: &W) -> bool {
        if !self.is_empty() {
            self.forget_what_is_over(now);
        }
        self.is_empty()
    }

    /// Whether no call is at work.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.outermost.is_none()
    }

    /// Whether a call is inside another.
    pub(crate) fn is_nested(&self, token: Token) -> bool {
        !self.is_empty() && !self.is_outermost(token)
    }

    /// Where a call is at work; `None` if it is over.
    pub(crate) fn place(&mut self, token: Token) -> Option<W> {
        self.call(token).map(|call| call.place)
    }

    /// What a call holds; `None` if it is over.
    pub(crate) fn held(&mut self, token: Token) -> Option<&mut H> {
        self.call(token).map(|call| call.held.get_or_insert_with(H::default))
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
