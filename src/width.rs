//! The widths of stored values, told apart once.
#![forbid(unsafe_code)]

/// Evaluates an expression with the constant `$n` at a width of 1, 2, 4, 8 or 16 bytes: a move of a
/// fixed width is one instruction, where a slice is a call.
macro_rules! with_width {
    ($width:expr, $n:ident => $value:expr) => {
        match $width {
            1 => {
                const $n: usize = 1;
                $value
            }
            2 => {
                const $n: usize = 2;
                $value
            }
            4 => {
                const $n: usize = 4;
                $value
            }
            8 => {
                const $n: usize = 8;
                $value
            }
            _ => {
                const $n: usize = 16;
                $value
            }
        }
    };
}

pub(crate) use with_width;
