//! The prototypes of a header as Rust has them, for the compiler to compare with the library's.

/// A function that calls the library's with the types of a C prototype: it compiles if they are the
/// same.
pub fn call(prototype: &str) -> String {
    let (head, parameters) = prototype.trim_end_matches(");").split_once('(').unwrap();
    let name_at = head.rfind([' ', '*']).unwrap() + 1;
    let (returned, name) = head.split_at(name_at);
    let types: Vec<_> = split(parameters).into_iter().map(parameter).collect();
    let names: Vec<_> = (1..=types.len()).map(|number| format!("p{number}")).collect();
    let (types, names) = (types.join(", "), names.join(", "));
    let returned = arrow(returned);
    format!("const _: fn({types}){returned} = |{names}| unsafe {{ {name}({names}) }};\n")
}

/// The parameters between parentheses; none of `void`.
fn split(parameters: &str) -> Vec<&str> {
    let mut depth = 0;
    let at_comma = |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    };
    let all = parameters.split(at_comma).map(str::trim);
    all.filter(|parameter| *parameter != "void").collect()
}

/// The type of a parameter with a name.
fn parameter(c: &str) -> String {
    if let Some((returned, rest)) = c.split_once("(*") {
        let (_, parameters) = rest.split_once(")(").unwrap();
        let types: Vec<_> =
            split(parameters.trim_end_matches(')')).into_iter().map(parameter).collect();
        let returned = arrow(returned);
        return format!("Option<unsafe extern \"C-unwind\" fn({}){returned}>", types.join(", "));
    }
    type_(&c[..c.rfind([' ', '*']).unwrap() + 1])
}

/// What stands behind a function's parameters.
fn arrow(returned: &str) -> String {
    match type_(returned).as_str() {
        "c_void" => String::new(),
        returned => format!(" -> {returned}"),
    }
}

/// A type without a name.
fn type_(c: &str) -> String {
    if let Some(pointed) = c.trim_end().strip_suffix('*') {
        let constant = pointed.trim_start().starts_with("const ");
        return format!("*{} {}", if constant { "const" } else { "mut" }, type_(pointed));
    }
    let c = c.trim().trim_start_matches("const ");
    let simple = match c {
        "void" => "c_void",
        "char" => "c_char",
        "int" | "enum nf_conntrack_msg_type" => "c_int",
        "unsigned int" => "c_uint",
        "bool" => "bool",
        "size_t" => "usize",
        "uint8_t" => "u8",
        "uint16_t" => "u16",
        "uint32_t" => "u32",
        "uint64_t" => "u64",
        // The one enum with a sign is above: the table of types says so, for the C compiler.
        _ if c.starts_with("enum ") => "c_uint",
        _ => c.strip_prefix("struct ").unwrap_or_else(|| panic!("an unknown type: {c}")),
    };
    simple.to_owned()
}
