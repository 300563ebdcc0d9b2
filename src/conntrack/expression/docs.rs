//! The table of fields as the documentation has it.
#![forbid(unsafe_code)]

use super::fields::{FIELDS, Field, InEvents, Kind, Side};
use std::fmt::{self, Display, Formatter};

/// A table in Markdown: a line a field.
#[derive(Debug, Clone, Copy)]
pub struct Table;

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| Field | Of | Value | Operators | True of a flow | Kernel, lists | Kernel, events |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        FIELDS.iter().try_for_each(|field| writeln!(f, "{}", Line(field)))
    }
}

struct Line(&'static Field);

impl Display for Line {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Field { name, sides, kind, value, meaning, in_lists, in_events } = self.0;
        write!(f, "| `{name}` | ")?;
        for (at, (side, _)) in sides.iter().filter(|(side, _)| *side != Side::Plain).enumerate() {
            write!(f, "{}`{}`", if at > 0 { ", " } else { "" }, side.word())?;
        }
        let operators = match kind {
            Kind::Flag => "",
            Kind::Number(..) | Kind::Mark => "all",
            _ => "`=` `!=`",
        };
        let in_events = match in_events {
            InEvents::Fixed => "yes",
            InEvents::Changing => "of the moment",
            InEvents::No => "no",
        };
        write!(f, " | {value} | {operators} | {meaning} | {in_lists} | {in_events} |")
    }
}
