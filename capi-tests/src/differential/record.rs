//! The transcript that a worker writes: one line for each call, and what it did.
//!
//! ```text
//! S <sequence>                        a sequence starts
//! C <step> TAB <call> TAB <result>    a call; the reference may add TAB <id> TAB <result>, what
//!                                     ctrs returns instead by the difference of that id
//! M <id>                              the reference's object was brought to the state that ctrs
//!                                     gives it by the difference of that id
//! E <sequence> <calls>                the sequence ended after this many calls in all
//! ```

use std::fmt::Display;
use std::io::Write;

/// What a call did.
pub struct Outcome {
    /// Everything observable, as text.
    pub result: String,
    /// For the reference: what ctrs is meant to do instead, and the id of that difference.
    pub mended: Option<(&'static str, String)>,
}

impl From<String> for Outcome {
    fn from(result: String) -> Self {
        Self { result, mended: None }
    }
}

/// Writes the transcript to standard output.
pub struct Transcript {
    out: std::io::BufWriter<std::io::Stdout>,
    careful: bool,
    step: usize,
    calls: u64,
}

impl Transcript {
    /// With `careful` every call is on its way before it is made, so that a crash shows its call.
    #[must_use]
    pub fn new(careful: bool) -> Self {
        Self {
            out: std::io::BufWriter::with_capacity(1 << 16, std::io::stdout()),
            careful,
            step: 0,
            calls: 0,
        }
    }

    /// Starts a sequence.
    pub fn start(&mut self, sequence: u64) {
        self.line(format_args!("S {sequence}\n"));
    }

    /// Ends it.
    pub fn end(&mut self, sequence: u64) {
        let calls = self.calls;
        self.line(format_args!("E {sequence} {calls}\n"));
        self.flush();
    }

    /// The step that the following calls belong to.
    pub fn step(&mut self, step: usize) {
        self.step = step;
    }

    /// Makes one call and writes what it did.
    pub fn call<O: Into<Outcome>>(&mut self, call: impl Display, make: impl FnOnce() -> O) {
        let step = self.step;
        self.calls += 1;
        self.line(format_args!("C {step}\t{call}\t"));
        if self.careful {
            self.flush();
        }
        let Outcome { result, mended } = make().into();
        match mended {
            Some((id, text)) if text != result => {
                self.line(format_args!("{result}\t{id}\t{text}\n"))
            }
            _ => self.line(format_args!("{result}\n")),
        }
    }

    /// Says that an intended difference was met in the state of an object.
    pub fn met(&mut self, id: &str) {
        self.line(format_args!("M {id}\n"));
    }

    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        if self.out.write_fmt(text).is_err() {
            std::process::exit(0); // the parent has seen enough
        }
    }

    fn flush(&mut self) {
        if self.out.flush().is_err() {
            std::process::exit(0);
        }
    }
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Bytes as a quoted string in which tabs, newlines and the like are escaped.
#[must_use]
pub fn quoted(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes.escape_ascii())
}
