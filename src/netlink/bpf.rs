//! Classic BPF programs over netlink messages.
//!
//! A [`Program`] is written from front to back, with jumps to named places further on, and
//! assembled from back to front. That way the distance of every jump is known when it is made, and
//! one that is too long for a conditional jump goes by way of an unconditional one on the spot.
#![forbid(unsafe_code)]

use super::error::Error;

/// One instruction, as the kernel takes it.
pub type Instruction = libc::sock_filter;

/// Instructions that the kernel takes.
pub const BPF_MAXINSNS: usize = libc::BPF_MAXINSNS as usize;

/// What the filter returns to keep the whole datagram.
pub(super) const ACCEPT: u32 = u32::MAX;
/// What the filter returns to drop the datagram.
pub(super) const DROP: u32 = 0;

/// The width of a load; multi-byte loads convert from network to host order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// One byte.
    Byte,
    /// Two bytes.
    Half,
    /// Four bytes.
    Word,
}

/// A place to jump to: the next one of this name after the jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The end of the program, where the datagram is accepted.
    Accept,
    /// The end of the program, where the datagram is dropped.
    Drop,
    /// The next check; this one has passed.
    NextCheck,
    /// The next entry of a list; this one does not match.
    NextEntry,
    /// The next way to a field; this one does not lead to it.
    NextPath,
    /// The field is found.
    Found,
}

/// A line of a program before the jumps are resolved.
#[derive(Clone, Copy, Debug)]
enum Line {
    Plain(Instruction),
    /// Jumps if the accumulator equals the value, or if it does not.
    JumpIf {
        equal: bool,
        value: u32,
        to: Place,
    },
    Jump(Place),
    Here(Place),
}

/// A program in the making.
#[derive(Debug, Default)]
pub struct Program {
    lines: Vec<Line>,
}

impl Program {
    /// Loads a number into the accumulator.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], here and in the other methods.
    pub fn load_number(&mut self, number: u32) -> Result<(), Error> {
        self.plain(libc::BPF_LD | libc::BPF_IMM, number)
    }

    /// Loads from a fixed offset of the datagram.
    pub fn load_at(&mut self, width: Width, offset: u32) -> Result<(), Error> {
        self.plain(libc::BPF_LD | width.code() | libc::BPF_ABS, offset)
    }

    /// Loads from an offset of the datagram counted from where [`Self::index_here`] pointed.
    pub fn load_from_index(&mut self, width: Width, offset: u32) -> Result<(), Error> {
        self.plain(libc::BPF_LD | width.code() | libc::BPF_IND, offset)
    }

    /// Keeps the offset in the accumulator as the start of indexed loads.
    pub fn index_here(&mut self) -> Result<(), Error> {
        self.plain(libc::BPF_MISC | libc::BPF_TAX, 0)
    }

    /// Masks the accumulator.
    pub fn and(&mut self, mask: u32) -> Result<(), Error> {
        self.plain(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, mask)
    }

    /// Turns the offset of the first attribute of a sequence into the offset of the first one of
    /// this type, or 0.
    pub fn find_attribute(&mut self, attribute: u16) -> Result<(), Error> {
        self.netlink(libc::SKF_AD_NLATTR, attribute)
    }

    /// Turns the offset of a nest into the offset of the first attribute of this type inside it,
    /// or 0. Unlike [`Self::find_attribute`] this never looks at what follows the nest.
    pub fn find_nested(&mut self, attribute: u16) -> Result<(), Error> {
        self.netlink(libc::SKF_AD_NLATTR_NEST, attribute)
    }

    /// Goes to a place further on.
    pub fn jump(&mut self, to: Place) -> Result<(), Error> {
        self.push(Line::Jump(to))
    }

    /// Goes to a place further on if the accumulator has this value.
    pub fn jump_if(&mut self, value: u32, to: Place) -> Result<(), Error> {
        self.push(Line::JumpIf { equal: true, value, to })
    }

    /// Goes to a place further on unless the accumulator has this value.
    pub fn jump_unless(&mut self, value: u32, to: Place) -> Result<(), Error> {
        self.push(Line::JumpIf { equal: false, value, to })
    }

    /// Marks the place that jumps made before this line go to.
    pub fn here(&mut self, place: Place) -> Result<(), Error> {
        self.push(Line::Here(place))
    }

    /// Accepts the datagram.
    pub fn accept(&mut self) -> Result<(), Error> {
        self.plain(libc::BPF_RET | libc::BPF_K, ACCEPT)
    }

    /// Drops the datagram.
    pub fn drop(&mut self) -> Result<(), Error> {
        self.plain(libc::BPF_RET | libc::BPF_K, DROP)
    }

    /// The finished program.
    ///
    /// # Errors
    /// [`Error::ProgramTooLong`].
    pub fn assemble(&self) -> Result<Vec<Instruction>, Error> {
        let mut assembler = Assembler::default();
        for line in self.lines.iter().rev() {
            assembler.put(*line)?;
        }
        assembler.backwards.reverse();
        match assembler.backwards.len() {
            length if length > BPF_MAXINSNS => Err(Error::ProgramTooLong(length)),
            _ => Ok(assembler.backwards),
        }
    }

    /// A netlink extension of the kernel: a load from a magic offset, of what the index register
    /// names.
    fn netlink(&mut self, extension: i32, attribute: u16) -> Result<(), Error> {
        self.plain(libc::BPF_LDX | libc::BPF_IMM, attribute.into())?;
        self.load_at(Width::Byte, (libc::SKF_AD_OFF + extension) as u32)
    }

    fn plain(&mut self, code: u32, k: u32) -> Result<(), Error> {
        self.push(Line::Plain(instruction(code, k)))
    }

    fn push(&mut self, line: Line) -> Result<(), Error> {
        self.lines.try_reserve(1)?;
        self.lines.push(line);
        Ok(())
    }
}

/// Resolves the jumps, last line first.
#[derive(Debug, Default)]
struct Assembler {
    /// The instructions so far, the last of the program first.
    backwards: Vec<Instruction>,
    /// Where each place is, as the number of instructions from there to the end.
    accept: usize,
    drop: usize,
    next_check: usize,
    next_entry: usize,
    next_path: usize,
    found: usize,
}

impl Assembler {
    fn put(&mut self, line: Line) -> Result<(), Error> {
        match line {
            Line::Plain(instruction) => self.push(instruction),
            Line::Jump(to) => self.put_jump(to),
            Line::JumpIf { equal, value, to } => self.put_jump_if(equal, value, to),
            Line::Here(place) => {
                *self.position(place) = self.backwards.len();
                Ok(())
            }
        }
    }

    fn put_jump(&mut self, to: Place) -> Result<(), Error> {
        let skipped = self.distance(to) as u32;
        self.push(instruction(libc::BPF_JMP | libc::BPF_JA, skipped))
    }

    /// A conditional jump reaches 255 instructions. Where that is too short, an unconditional jump
    /// right behind it becomes the place that this and earlier jumps go to.
    fn put_jump_if(&mut self, equal: bool, value: u32, to: Place) -> Result<(), Error> {
        let (near, other) = match u8::try_from(self.distance(to)) {
            Ok(near) => (near, 0),
            Err(_) => {
                self.put_jump(to)?;
                *self.position(to) = self.backwards.len();
                (0, 1)
            }
        };
        let (jt, jf) = if equal { (near, other) } else { (other, near) };
        let jump = instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, value);
        self.push(Instruction { jt, jf, ..jump })
    }

    /// How many instructions lie between the one to come and a place.
    fn distance(&mut self, to: Place) -> usize {
        self.backwards.len().saturating_sub(*self.position(to))
    }

    fn position(&mut self, place: Place) -> &mut usize {
        match place {
            Place::Accept => &mut self.accept,
            Place::Drop => &mut self.drop,
            Place::NextCheck => &mut self.next_check,
            Place::NextEntry => &mut self.next_entry,
            Place::NextPath => &mut self.next_path,
            Place::Found => &mut self.found,
        }
    }

    fn push(&mut self, instruction: Instruction) -> Result<(), Error> {
        self.backwards.try_reserve(1)?;
        self.backwards.push(instruction);
        Ok(())
    }
}

/// An instruction that is not a conditional jump.
pub(super) fn instruction(code: u32, k: u32) -> Instruction {
    Instruction { code: code as u16, jt: 0, jf: 0, k }
}

impl Width {
    pub(super) fn code(self) -> u32 {
        match self {
            Self::Byte => libc::BPF_B,
            Self::Half => libc::BPF_H,
            Self::Word => libc::BPF_W,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The index that a conditional jump at `from` ends at when it holds, and when it does not.
    fn targets(program: &[Instruction], from: usize) -> [usize; 2] {
        let settle = |skipped: u8| {
            let at = from + 1 + usize::from(skipped);
            match u32::from(program[at].code) {
                code if code == libc::BPF_JMP | libc::BPF_JA => at + 1 + program[at].k as usize,
                _ => at,
            }
        };
        [settle(program[from].jt), settle(program[from].jf)]
    }

    #[test]
    fn near_jumps_are_direct() {
        let mut program = Program::default();
        program.jump_if(7, Place::Drop).unwrap();
        program.accept().unwrap();
        program.here(Place::Drop).unwrap();
        program.drop().unwrap();
        let program = program.assemble().unwrap();
        assert_eq!(program[0], Instruction { code: 0x15, jt: 1, jf: 0, k: 7 });
        assert_eq!(program[1], Instruction { code: 0x06, jt: 0, jf: 0, k: u32::MAX });
        assert_eq!(program[2], Instruction { code: 0x06, jt: 0, jf: 0, k: 0 });
    }

    #[test]
    fn jumps_of_every_distance_arrive() {
        for between in [0, 1, 254, 255, 256, 257, 600] {
            for equal in [true, false] {
                let mut program = Program::default();
                program.push(Line::JumpIf { equal, value: 7, to: Place::Drop }).unwrap();
                for _ in 0..between {
                    program.load_number(0).unwrap();
                }
                program.here(Place::Drop).unwrap();
                program.drop().unwrap();
                let program = program.assemble().unwrap();
                let [holds, holds_not] = targets(&program, 0);
                let (jumped, stayed) = if equal { (holds, holds_not) } else { (holds_not, holds) };
                assert_eq!(jumped, program.len() - 1, "over {between}, equal {equal}");
                assert_eq!(stayed, program.len() - 1 - between, "over {between}, equal {equal}");
            }
        }
    }

    #[test]
    fn a_long_list_needs_one_extra_jump_per_255() {
        let mut program = Program::default();
        for value in 0..1000 {
            program.jump_if(value, Place::Drop).unwrap();
        }
        program.here(Place::Drop).unwrap();
        program.drop().unwrap();
        assert_eq!(program.assemble().unwrap().len(), 1000 + 3 + 1);
    }

    #[test]
    fn a_place_is_the_next_of_its_name() {
        let mut program = Program::default();
        for value in [1, 2] {
            program.jump_if(value, Place::NextEntry).unwrap();
            program.drop().unwrap();
            program.here(Place::NextEntry).unwrap();
        }
        program.accept().unwrap();
        let program = program.assemble().unwrap();
        assert_eq!((program[0].jt, program[2].jt), (1, 1));
    }
}
