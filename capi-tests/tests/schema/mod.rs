//! Lines of JSON, asked about of other programs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// Messages that a real kernel has sent, of all kinds.
pub fn recorded() -> Vec<Vec<u8>> {
    capi_tests::corpus::messages(|_| true).into_iter().map(|(_, bytes)| bytes).collect()
}

/// What a program answers to some text.
pub fn ask(program: &mut Command, text: &str) -> String {
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = text.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join();
    assert!(output.status.success(), "{program:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a validator says of lines, all of which a schema of docs must take, and of the members that
/// they have; and the members that the schema describes: those of other schemas as one.
pub fn validated(schema: &str, lines: &str) -> (serde_json::Value, Vec<String>) {
    let schema = here("../docs").join(schema);
    let told = ask(Command::new("python3").arg(here("json/validate.py")).arg(&schema), lines);
    let schema = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let mut members = Vec::new();
    describe(&schema, &schema, "", &mut members);
    members.sort();
    (serde_json::from_str(&told).unwrap(), members)
}

/// The members that a schema describes, by the keys that lead to them.
fn describe(
    root: &serde_json::Value,
    schema: &serde_json::Value,
    path: &str,
    members: &mut Vec<String>,
) {
    if let Some(pointer) = schema["$ref"].as_str().and_then(|name| name.strip_prefix('#')) {
        return describe(root, root.pointer(pointer).unwrap(), path, members);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        describe(root, part, path, members);
    }
    for (key, member) in schema["properties"].as_object().into_iter().flatten() {
        let here = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        describe(root, member, &here, members);
        members.push(here);
    }
}
