//! Messages that a real kernel has sent.

use std::path::Path;

/// The messages of the files of the corpus whose name fits, each with the line that describes it.
///
/// # Panics
/// When there are no such files.
#[must_use]
pub fn messages(fits: impl Fn(&str) -> bool) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut messages = Vec::new();
    for file in std::fs::read_dir(folder).expect("the corpus") {
        let path = file.expect("a file").path();
        if !path.file_name().and_then(|name| name.to_str()).is_some_and(&fits) {
            continue;
        }
        let text = std::fs::read_to_string(path).expect("text");
        let mut description = String::new();
        for line in text.lines() {
            match line.strip_prefix("# ") {
                Some(comment) => comment.clone_into(&mut description),
                None => messages.push((description.clone(), unhex(line))),
            }
        }
    }
    assert!(!messages.is_empty(), "no messages");
    messages
}

/// The bytes of a line.
///
/// # Panics
/// When it is not hexadecimal.
#[must_use]
pub fn unhex(line: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&line[at..at + 2], 16).expect("digits");
    (0..line.len()).step_by(2).map(byte).collect()
}
