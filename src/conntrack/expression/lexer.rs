//! The text of an expression as tokens.
#![forbid(unsafe_code)]

use crate::conntrack::syntax::Syntax;

/// A token, and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub at: usize,
    pub is: Is<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Is<'a> {
    /// A name, a number, an address, a range, a value with its mask: what has no blanks.
    Word(&'a str),
    /// What stands in quotes.
    Quoted(&'a str),
    Sign(&'static str),
    End,
}

/// The signs, longer ones before those they begin with.
const SIGNS: [&str; 11] = ["!=", "<=", ">=", "=", "<", ">", "(", ")", "{", "}", ","];

/// What other languages write, and what is written here.
const MISTAKEN: [(&str, &str); 8] = [
    ("==", "write `=`"),
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("&", "write `and`; some bits of a mark are written as 0x2a/0xff"),
    ("|", "write `or`"),
    ("!", "write `not`, or `!=` before a value"),
    ("'", "names are quoted as \"name\""),
    ("%", "an address has no interface here"),
];

/// The rest of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next token; at the end of the text again and again that one.
    pub fn next(&mut self) -> Result<Token<'a>, Syntax> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let text = rest.trim_ascii_start();
        let at = self.text.len() - text.len();
        let (is, length) = token(text).map_err(|what| Syntax::says(at, what))?;
        self.at = at + length;
        Ok(Token { at, is })
    }
}

/// The token that a text begins with, and its length.
fn token(text: &str) -> Result<(Is<'_>, usize), &'static str> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (name, _) = quoted.split_once('"').ok_or("the quote is not closed")?;
        return Ok((Is::Quoted(name), name.len() + 2));
    }
    let length = text.find(|letter| !is_of_word(letter)).unwrap_or(text.len());
    if let Some(word) = text.get(..length).filter(|word| !word.is_empty()) {
        return Ok((Is::Word(word), length));
    }
    if let Some((_, advice)) = MISTAKEN.iter().find(|(sign, _)| begins(text, sign)) {
        return Err(advice);
    }
    match SIGNS.iter().find(|sign| text.starts_with(**sign)) {
        Some(sign) => Ok((Is::Sign(sign), sign.len())),
        None if text.is_empty() => Ok((Is::End, 0)),
        None => Err("this character has no meaning here"),
    }
}

/// Whether a text begins with a sign that has no meaning here.
fn begins(text: &str, sign: &str) -> bool {
    text.starts_with(sign) && !(sign == "!" && text.starts_with("!="))
}

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_.:/-".contains(letter)
}
