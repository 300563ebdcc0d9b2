//! Classic BPF programs that decide by a tree of questions.
//!
//! They are written from the end: what an answer leads to is there before the question is asked, so
//! that every distance is known. Conditional jumps reach 255 instructions; further they go by way of
//! an unconditional one.
#![forbid(unsafe_code)]

use super::bpf::{ACCEPT, BPF_MAXINSNS, DROP, Instruction, Width, instruction};
use super::error::Error;

/// A place in a program, counted from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(usize);

/// How the accumulator is compared with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// It is that number.
    Equal,
    /// It is more.
    Above,
    /// It is not less.
    AtLeast,
    /// It has one of its bits.
    HasAny,
}

/// A program in the making: its end.
#[derive(Debug, Default)]
pub struct Decisions {
    backwards: Vec<Instruction>,
    /// The last ones on the way to a place that is too far.
    jumps: [Option<Jump>; 4],
}

#[derive(Debug, Clone, Copy)]
struct Jump {
    from: Place,
    to: Place,
}

/// How far a conditional jump reaches.
const REACH: usize = u8::MAX as usize;

/// Each method puts instructions before those that are there.
///
/// # Errors
/// [`Error::OutOfMemory`], of all that may fail.
impl Decisions {
    /// The end of a program, and where it accepts and drops the datagram.
    pub fn new() -> Result<(Self, Place, Place), Error> {
        let mut this = Self::default();
        this.plain(libc::BPF_RET | libc::BPF_K, DROP)?;
        let drop = this.here();
        this.plain(libc::BPF_RET | libc::BPF_K, ACCEPT)?;
        let accept = this.here();
        Ok((this, accept, drop))
    }

    /// Where the program begins, so far.
    #[must_use]
    pub fn here(&self) -> Place {
        Place(self.backwards.len())
    }

    /// How many instructions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.backwards.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.backwards.is_empty()
    }

    /// Asks a question, and goes on at `yes` or `no`.
    pub fn ask(
        &mut self,
        compare: Compare,
        with: u32,
        yes: Place,
        no: Place,
    ) -> Result<Place, Error> {
        let no = self.near(no, REACH - 1)?;
        let yes = self.near(yes, REACH)?;
        let [jt, jf] = [yes, no].map(|place| self.distance(place) as u8);
        let how = match compare {
            Compare::Equal => libc::BPF_JEQ,
            Compare::Above => libc::BPF_JGT,
            Compare::AtLeast => libc::BPF_JGE,
            Compare::HasAny => libc::BPF_JSET,
        };
        let jump = instruction(libc::BPF_JMP | how | libc::BPF_K, with);
        self.push(Instruction { jt, jf, ..jump })
    }

    /// What is put next goes on at this place.
    pub fn then(&mut self, place: Place) -> Result<Place, Error> {
        match self.distance(place) {
            0 => Ok(place),
            skipped => self.plain(libc::BPF_JMP | libc::BPF_JA, skipped as u32),
        }
    }

    /// A place that is as near as that: this one, or a jump to it, which may be there already.
    fn near(&mut self, place: Place, reach: usize) -> Result<Place, Error> {
        let mut known = self.jumps.into_iter().flatten().filter(|jump| jump.to == place);
        let jump = known.find(|jump| self.distance(jump.from) <= reach);
        match jump {
            _ if self.distance(place) <= reach => Ok(place),
            Some(jump) => Ok(jump.from),
            None => {
                let from = self.then(place)?;
                self.jumps.rotate_right(1);
                self.jumps[0] = Some(Jump { from, to: place });
                Ok(from)
            }
        }
    }

    fn distance(&self, place: Place) -> usize {
        self.backwards.len().saturating_sub(place.0)
    }

    /// Loads a number into the accumulator.
    pub fn load_number(&mut self, number: u32) -> Result<Place, Error> {
        self.plain(libc::BPF_LD | libc::BPF_IMM, number)
    }

    /// Loads from a fixed offset of the datagram.
    pub fn load_at(&mut self, width: Width, offset: u32) -> Result<Place, Error> {
        self.plain(libc::BPF_LD | width.code() | libc::BPF_ABS, offset)
    }

    /// Loads from an offset that is counted from the index.
    pub fn load_from_index(&mut self, width: Width, offset: u32) -> Result<Place, Error> {
        self.plain(libc::BPF_LD | width.code() | libc::BPF_IND, offset)
    }

    /// Makes the accumulator the index.
    pub fn index_here(&mut self) -> Result<Place, Error> {
        self.plain(libc::BPF_MISC | libc::BPF_TAX, 0)
    }

    /// Masks the accumulator.
    pub fn and(&mut self, mask: u32) -> Result<Place, Error> {
        self.plain(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, mask)
    }

    /// Turns the offset of the first attribute of a sequence into that of the first one of this
    /// type, or 0; of a nest, into that of the first one inside it.
    pub fn find(&mut self, attribute: u16, nested: bool) -> Result<Place, Error> {
        let extension = if nested { libc::SKF_AD_NLATTR_NEST } else { libc::SKF_AD_NLATTR };
        self.load_at(Width::Byte, (libc::SKF_AD_OFF + extension) as u32)?;
        self.plain(libc::BPF_LDX | libc::BPF_IMM, attribute.into())
    }

    /// The finished program.
    ///
    /// # Errors
    /// [`Error::ProgramTooLong`].
    pub fn finish(mut self) -> Result<Vec<Instruction>, Error> {
        self.backwards.reverse();
        match self.backwards.len() {
            length if length > BPF_MAXINSNS => Err(Error::ProgramTooLong(length)),
            _ => Ok(self.backwards),
        }
    }

    fn plain(&mut self, code: u32, k: u32) -> Result<Place, Error> {
        self.push(instruction(code, k))
    }

    fn push(&mut self, instruction: Instruction) -> Result<Place, Error> {
        self.backwards.try_reserve(1)?;
        self.backwards.push(instruction);
        Ok(self.here())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_lead_where_they_should_however_far() {
        for between in [0, 1, 253, 254, 255, 256, 257, 600] {
            let (mut program, accept, drop) = Decisions::new().unwrap();
            for _ in 0..between {
                program.load_number(0).unwrap();
            }
            program.ask(Compare::Equal, 7, accept, drop).unwrap();
            let program = program.finish().unwrap();
            let settle = |skipped: u8| {
                let at = 1 + usize::from(skipped);
                match u32::from(program[at].code) {
                    code if code == libc::BPF_JMP | libc::BPF_JA => at + 1 + program[at].k as usize,
                    _ => at,
                }
            };
            let [yes, no] = [program[0].jt, program[0].jf].map(settle);
            assert_eq!((program[yes].k, program[no].k), (ACCEPT, DROP), "over {between}");
        }
    }

    #[test]
    fn what_stands_before_a_place_goes_there() {
        let (mut program, accept, drop) = Decisions::new().unwrap();
        assert_eq!(program.then(accept).unwrap(), accept);
        let jump = program.then(drop).unwrap();
        assert!(jump == program.here() && program.len() == 3);
        assert_eq!(program.finish().unwrap()[0].k, 1);
    }

    #[test]
    fn a_program_has_a_longest_length() {
        let (mut program, ..) = Decisions::new().unwrap();
        while program.len() < BPF_MAXINSNS {
            program.load_number(0).unwrap();
        }
        program.load_number(0).unwrap();
        assert_eq!(program.finish(), Err(Error::ProgramTooLong(BPF_MAXINSNS + 1)));
    }
}
