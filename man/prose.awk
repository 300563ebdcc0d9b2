# Text of comments as mdoc(7): each sentence and each macro on a line of its own.

BEGIN {
    # Functions of the C library that comments name.
    pages = split("close 2 fork 2 open 2 poll 2 recv 2 setsockopt 2 longjmp 3 siglongjmp 3 snprintf 3", page, " ")
    for (i = 1; i < pages; i += 2)
        system_section[page[i]] = page[i + 1]
    # Behind these a word is not a parameter, though it be called so.
    words = split("a an another any be each first fixed impossible is its last longer next no not one other receive " \
        "same such that the their this to unknown was were whole whose wrong", word, " ")
    for (i = 1; i <= words; i++)
        before_a_noun[word[i]] = 1
}

# Paragraphs, and lists of lines that begin with a hyphen. Names of parameters are in fa[].
function prose(words,    all, paragraphs, i, result) {
    paragraphs = split(words, all, "\n\n")
    for (i = 1; i <= paragraphs; i++)
        result = result (i > 1 ? ".Pp\n" : "") paragraph(all[i])
    return result
}

function paragraph(words,    all, items, i, result) {
    items = split(words, all, /\n- /)
    result = sentences(all[1])
    if (items == 1)
        return result
    result = result ".Bl -bullet -compact\n"
    for (i = 2; i <= items; i++)
        result = result ".It\n" sentences(all[i])
    return result ".El\n"
}

function sentences(words,    all, many, i, line, macro, result, last) {
    many = split(words, all, /[ \n]+/)
    line = result = last = ""
    for (i = 1; i <= many; i++) {
        if (all[i] == "")
            continue
        if (all[i] ~ /^[("]*(struct|enum|union)$/ && i < many && all[i + 1] ~ /^[a-z][a-z0-9_]*[).,;:"]*$/) {
            all[i + 1] = all[i] "\001" all[i + 1]
            continue
        }
        macro = macro_of(all[i], last)
        last = all[i]
        if (macro != "") {
            result = result text_line(line) macro "\n"
            line = ""
            continue
        }
        if (length(line) + length(all[i]) > 76) {
            result = result text_line(line)
            line = ""
        }
        line = line (line == "" ? "" : " ") escape(all[i])
        if (all[i] ~ /[.?!][)"]*$/) {
            result = result text_line(line)
            line = ""
        }
    }
    return result text_line(line)
}

function text_line(line) {
    if (line ~ /^[.']/)
        line = "\\&" line
    return line == "" ? "" : line "\n"
}

# A word of text; hyphens at its beginning are those of an option or of a number.
function escape(word,    dashes) {
    gsub(/\\/, "\\e", word)
    dashes = ""
    while (word ~ /^-./) {
        dashes = dashes "\\-"
        word = substr(word, 2)
    }
    return dashes word
}

# The macro for a word, with the punctuation around it; nothing if it is only a word.
function macro_of(word, last,    head, tail, macro) {
    head = tail = ""
    while (word ~ /^[(]./) {
        head = head " ("
        word = substr(word, 2)
    }
    while (word ~ /[.,;:)?!]$/ && word !~ /^[a-z_0-9]+\(\)$/) {
        tail = " " substr(word, length(word)) tail
        word = substr(word, 1, length(word) - 1)
    }
    macro = kind_of(word, last)
    if (macro == "")
        return ""
    match(macro, / .*$/)
    return "." substr(macro, 1, RSTART - 1) head substr(macro, RSTART) tail
}

function kind_of(word, last,    name_of) {
    if (word ~ /^[a-z_][a-z0-9_]*\(\)$/) {
        name_of = substr(word, 1, length(word) - 2)
        if (name_of in number_of)
            return name_of == own ? "Fn " name_of : "Xr " name_of " 3"
        return name_of in system_section ? "Xr " name_of " " system_section[name_of] : "Fn " name_of
    }
    if (word in fa && !(last in before_a_noun))
        return "Fa " word
    if (word == "errno")
        return "Va errno"
    if (word ~ /^E[A-Z0-9]+$/ && length(word) > 3 && word != "EXPECT")
        return "Er " word
    if (word == "NULL" || word == "CONNTRACK" || word == "EXPECT" || word ~ /^_*[A-Z][A-Z0-9]*_[A-Z0-9_*]+$/)
        return "Dv " word
    if (sub(/\001/, " ", word))
        return "Vt " word
    if (word ~ /^net\.[a-zA-Z_.]+[a-zA-Z]$/)
        return "Va " word
    if (word ~ /^\/[a-z][a-z0-9\/_.-]*[a-z]$/ || word ~ /^[a-z-]+\/[a-z-]+\.[a-z.]+$/)
        return "Pa " word
    return ""
}
