# Reads C headers as cbindgen and capi-tests/tests/headers.rs write them. What is found is in arrays by the number of
# the declaration, from 1 to count: kind[], name[], comment[], code[], header[], section[]; of an enum or a
# structure also member_count[], and member[], member_code[], member_text[] by its number and the member's.
# Of each header: headers[] by number, and rules[] and section_of[] by its name.

FNR == 1 { begin_header() }

state == "comment" { comment_line($0); next }
state == "block" { block_line($0); next }
state == "macro" { macro_line($0); next }
state == "code" { code_line($0); next }

/^\/\*\*/ { text = ""; state = "comment"; comment_line(substr($0, 4)); next }
/^\/\*/ { block = ""; state = "block"; block_line(substr($0, 3)); next }
/^#define [A-Za-z_]+(\(| |$)/ && text != "" { lines = ""; state = "macro"; macro_line($0); next }
/^#/ || /^__extension__$/ || /^extern "C"/ || /^}/ { text = ""; next }
/^[a-z_]/ { lines = ""; state = "code"; code_line($0); next }

function begin_header() {
    state = text = title = ""
    path = FILENAME
    sub(/^.*include\//, "", path)
    headers[++header_count] = path
}

# A comment without the stars at the beginning of its lines.
function bare(line) {
    sub(/ *\*\/ *$/, "", line)
    sub(/^ *\* ?/, "", line)
    return line
}

function comment_line(line) {
    text = text (text == "" ? "" : "\n") bare(line)
    if (line ~ /\*\//)
        state = ""
    sub(/^ +/, "", text)
}

# A comment that is of no declaration: the rules of a header, or a heading.
function block_line(line) {
    block = block bare(line) "\n"
    if (line !~ /\*\//)
        return
    state = ""
    sub(/^ +/, "", block)
    if (block ~ /^=+\n/) {
        title = block
        gsub(/=+\n/, "", title)
        sub(/\n.*$/, "", title)
    } else if (count_of[path]++ == 2) { # behind the licence, and how it was generated
        rules[path] = block
        sub(/\n+$/, "", rules[path])
    }
}

function macro_line(line) {
    lines = lines line
    if (sub(/ *\\$/, "", lines))
        return
    state = ""
    sub(/^#define /, "", lines)
    declare("macro", lines)
    match(lines, /^[A-Za-z0-9_]+/)
    name[count] = substr(lines, 1, RLENGTH)
    gsub(/ +/, " ", code[count])
}

# A declaration goes to a semicolon, or if it has members to the one behind them.
function code_line(line) {
    lines = lines (lines == "" ? "" : "\n") line
    if (line !~ /;$/ || (lines ~ /\{/ && line !~ /^}/))
        return
    state = ""
    if (sub(/^__attribute__\(\(deprecated\)\)[ \n]*/, "", lines))
        deprecated[count + 1] = 1
    if (lines ~ /^typedef/)
        declare("typedef", lines)
    else if (lines ~ /^extern/)
        declare("variable", lines)
    else if (match(lines, /^(enum|struct|union) ?(__attribute__\(\(packed\)\) )?[a-z0-9_]*( \{|;)/))
        declare(substr(lines, 1, index(lines, " ") - 1), lines)
    else
        declare("function", lines)
}

function declare(what, lines) {
    if (what ~ /^(struct|union)$/ && text == "") # one that another header has
        return
    count++
    kind[count] = what
    code[count] = lines
    comment[count] = text
    header[count] = path
    section[count] = title
    text = ""
    name[count] = name_in(what, lines)
    if (lines ~ /\{/)
        read_members(count)
    number_of[name[count]] = count
}

function name_in(what, lines,    head) {
    head = lines
    if (what == "variable")
        sub(/;.*$/, "", head)
    else if (what ~ /^(enum|struct|union)$/) {
        sub(/^[a-z]+ *(__attribute__\(\(packed\)\) )?/, "", head)
        sub(/ ?[{;].*$/, "", head)
        return head
    } else
        sub(/\(.*$/, "", head)
    sub(/^.*[ *]/, "", head)
    return head
}

function read_members(n,    all, i, parts, line, whole, words) {
    parts = split(code[n], all, "\n")
    words = whole = ""
    code[n] = all[1]
    for (i = 2; i <= parts; i++) {
        line = all[i]
        if (line ~ /^ *(\/\*|\*)/) {
            sub(/^ *\/\*\* ?/, "", line)
            words = words (words == "" ? "" : " ") bare(line)
            continue
        }
        code[n] = code[n] "\n" line
        whole = whole line
        if (line !~ /[,;]$/ && i < parts - 1 && all[i + 1] ~ /^ +\|/)
            continue
        if (line !~ /^}/)
            add_member(n, whole, words)
        words = whole = ""
    }
}

function add_member(n, line, words,    at) {
    sub(/^ +/, "", line)
    sub(/[,;]$/, "", line)
    gsub(/  +/, " ", line)
    at = ++member_count[n]
    member_code[n, at] = line
    member_text[n, at] = words
    if (kind[n] == "enum")
        sub(/ =.*$/, "", line)
    else
        sub(/^.*[ *]/, "", line)
    member[n, at] = line
}
