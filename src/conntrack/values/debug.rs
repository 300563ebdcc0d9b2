//! What `{:?}` shows of something of which not everything was told.
#![forbid(unsafe_code)]

/// Adds the fields whose value is some to what `debug_struct` began.
macro_rules! fields_told {
    ($parts:ident, $($name:literal $value:expr;)*) => {
        $(if let Some(value) = &$value {
            $parts.field($name, value);
        })*
    };
}

pub(crate) use fields_told;
