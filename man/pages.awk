# Writes a page of section 3 for each function, structure, enum and header that headers.awk has read, as mdoc(7):
#
#     awk -v out=FOLDER -v version=0.2.0 -v date='November 28, 2026' -v docs=/usr/share/doc/ctrs/docs \
#         -f man/headers.awk -f man/errors.awk -f man/prose.awk -f man/pages.awk include/*.h include/*/*.h

END {
    for (i = 1; i <= count; i++)
        if (kind[i] ~ /^(function|typedef)$/)
            read_errors(i)
    for (i = 1; i <= count; i++)
        if (has_page(i))
            write_page(i)
    for (i = 1; i <= header_count; i++)
        if (headers[i] in rules)
            write_header_page(headers[i])
    exit failed
}

function has_page(n) {
    return kind[n] != "macro" && name[n] != ""
}

function put(lines) {
    printf "%s", lines > file
}

function begin_page(name_of, what, from) {
    own = name_of
    split("", fa)
    split("", also)
    file = out "/" name_of ".3ctrs"
    put(".\\\" SPDX-License-Identifier: MIT OR Apache-2.0\n")
    put(".\\\" Generated from include/" from ": change it in src/capi.\n")
    put(".Dd " date "\n.Dt " toupper(name_of) " 3\n.Os ctrs " version "\n")
    put(".Sh NAME\n.Nm " name_of "\n.Nd " escape(what) "\n")
}

function write_page(n) {
    begin_page(name[n], summary(comment[n]), header[n])
    if (kind[n] == "function" || kind[n] == "typedef")
        read_parameters(n)
    put(".Sh LIBRARY\nctrs (libctrs, \\-lctrs)\n.Sh SYNOPSIS\n.In " header[n] "\n" synopsis(n))
    put(".Sh DESCRIPTION\n" description(n))
    if (kind[n] == "function" || kind[n] == "typedef")
        put(values_and_errors(n))
    put(see_also(n) standards(n))
    close(file)
}

# The first sentence of a comment in one line, without what is behind a colon or is too much for one.
function summary(words) {
    sub(/\n\n.*$/, "", words)
    gsub(/\n/, " ", words)
    sub(/[.]( .*)?$/, "", words)
    if (match(words, /[.] /))
        words = substr(words, 1, RSTART - 1)
    if (match(words, /[:;] /) && RSTART > 12)
        words = substr(words, 1, RSTART - 1)
    sub(/, as [a-z0-9_]+\(\)( .*)?$/, "", words)
    while (length(words) > 80 && match(words, /(, | \()[^,]*$/))
        words = substr(words, 1, RSTART - 1)
    if (words ~ /^[A-Z][a-z' ]/)
        words = tolower(substr(words, 1, 1)) substr(words, 2)
    return words
}

# ---- What a declaration looks like

function one_line(n,    line) {
    line = code[n]
    gsub(/[ \n]+/, " ", line)
    return line
}

# parameter[] has the parameters of a function, with their types, and fa[] their names.
function read_parameters(n,    line, i, c, depth) {
    line = one_line(n)
    sub(/^[^(]*\(/, "", line)
    sub(/\);$/, "", line)
    parameters = 1
    parameter[1] = ""
    depth = 0
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        depth += (c == "(") - (c == ")")
        if (c == "," && depth == 0) {
            parameter[++parameters] = ""
            i++
        } else
            parameter[parameters] = parameter[parameters] c
    }
    for (i = 1; i <= parameters; i++)
        fa[parameter_name(parameter[i])] = 1
}

function parameter_name(words) {
    if (words ~ /\(\*/)
        sub(/\).*$/, "", words)
    sub(/^.*[ *]/, "", words)
    return words
}

function synopsis(n,    line, result, i) {
    if (kind[n] ~ /^(struct|union)$/ && n in member_count)
        return ".Bd -literal\n" code[n] "\n.Ed\n"
    line = one_line(n)
    if (kind[n] ~ /^(enum|struct|union)$/)
        return ".Vt " kind[n] " " name[n] " ;\n"
    if (kind[n] != "function")
        return ".Bd -literal\n" code[n] "\n.Ed\n"
    match(line, / *\**[a-z0-9_]+\(/)
    result = ".Ft " substr(line, 1, index(line, name[n] "(") - 1) "\n"
    sub(/ \n$/, "\n", result)
    result = result ".Fo " name[n] "\n"
    for (i = 1; i <= parameters; i++)
        result = result ".Fa \"" parameter[i] "\"\n"
    return result ".Fc\n"
}

# ---- What is said of it

function description(n,    words, result, i) {
    words = comment[n]
    if (tells_errors(last_paragraph(words)))
        words = without_last_paragraph(words)
    result = deprecated[n] ? "This function is deprecated: it is here for programs that use it already.\n.Pp\n" : ""
    result = result prose(words) members(n)
    if (kind[n] == "function")
        for (i = 1; i <= count; i++)
            if (kind[i] == "enum" && name[i] == "" && comment[i] ~ "(^|[^a-z0-9_])" name[n] "[(][)]")
                result = result ".Pp\n" prose(comment[i]) members(i)
    if (kind[n] == "struct" && !(n in member_count))
        result = result functions_of(n)
    return result
}

function members(n,    i, result) {
    if (!(n in member_count))
        return ""
    result = ".Bl -tag -width Ds\n"
    for (i = 1; i <= member_count[n]; i++)
        result = result ".It " member_item(n, i) "\n" prose(member_text[n, i])
    return result ".El\n"
}

function member_item(n, i,    value) {
    value = member_code[n, i]
    if (kind[n] != "enum")
        return "Fa \"" value "\""
    sub(/^[^=]* = /, "", value)
    sub(/^\(/, "", value) && sub(/\)$/, "", value)
    return "Dv " member[n, i] " Pq " escape(value)
}

# The functions that take an object as their first, or make it.
function functions_of(n,    i, line, result) {
    result = ""
    for (i = 1; i <= count; i++) {
        line = one_line(i)
        if (kind[i] == "function" && line ~ "(^|\\()(const )?struct " name[n] " \\*")
            result = result ".It Xr " name[i] " 3\n" sentences(summary(comment[i]))
    }
    return result == "" ? "" : ".Ss Functions\n.Bl -tag -width Ds -compact\n" result ".El\n"
}

function values_and_errors(n,    result) {
    result = ""
    if (returned[n] != "")
        result = ".Sh RETURN VALUES\n" prose(returned[n]) like_values(returned[n])
    return kind[n] == "function" ? result ".Sh ERRORS\n" errors(n) : result
}

# What another function returns, of one that returns as that.
function like_values(words,    other) {
    if (!match(words, /^Returns as [a-z0-9_]+\(\)/))
        return ""
    other = named_in(substr(words, 9, RLENGTH - 8))
    words = returned[other]
    if (words ~ /^Returns as /)
        return like_values(words)
    sub(/^Returns/, "returns", words)
    return ".Pp\n.Xr " name[other] " 3\n" prose(words)
}

# Its own errors, and those of the functions that it names, of each once.
function errors(n) {
    if (!error_count[n] && !like_count[n])
        return "This function sets no\n.Va errno .\n"
    split("", told)
    told[n] = 1
    return own_errors(n) like_errors(n, error_count[n] + 0)
}

function own_errors(n,    i, result) {
    if (!error_count[n])
        return ""
    result = ".Bl -tag -width Er\n"
    for (i = 1; i <= error_count[n]; i++)
        result = result ".It Bq Er " error[n, i] "\n" prose(capital(reason(n, i)))
    return result ".El\n"
}

function reason(n, i) {
    if (why[n, i] != "")
        return why[n, i] "."
    if (error[n, i] == "EMFILE")
        return "The process has as many descriptors open as it may."
    if (error[n, i] == "ENFILE")
        return "The system has as many files open as it may."
    if (error[n, i] == "ENOMEM")
        return "There is no memory."
    print "no reason for " error[n, i] " of " name[n] > "/dev/stderr"
    failed = 1
}

function capital(words) {
    return words ~ /^[a-z]+ / ? toupper(substr(words, 1, 1)) substr(words, 2) : words
}

# Errors of other functions, as clauses name them; also says whether there are others before.
function like_errors(n, others,    i, clause, other, result) {
    result = ""
    for (i = 1; i <= like_count[n]; i++) {
        clause = like[n, i]
        if (clause ~ /^of /) {
            result = result (others++ ? ".Pp\nAlso the\n" : "The\n") ".Va errno\n" prose(clause ".")
            continue
        }
        other = named_in(clause)
        if (other in told)
            continue
        told[other] = 1
        if (error_count[other])
            result = result (others++ ? ".Pp\nAlso those of\n" : "Those of\n") ".Xr " name[other] " 3 :\n" own_errors(other)
        result = result like_errors(other, others)
    }
    return result
}

function named_in(clause) {
    sub(/^as /, "", clause)
    sub(/\(.*$/, "", clause)
    return number_of[clause]
}

# ---- Where to read on

function see_also(n,    words, i, result) {
    words = comment[n] " " one_line(n)
    for (i = 1; i <= member_count[n]; i++)
        words = words " " member_text[n, i] " " member_code[n, i]
    gsub(/\n/, " ", words)
    collect(words, "[a-z_][a-z0-9_]*\\(\\)")
    collect(words, "(struct|enum|union) [a-z][a-z0-9_]*")
    return see_also_section(header[n] in rules ? header[n] : "")
}

function collect(words, pattern,    found) {
    while (match(words, pattern)) {
        found = substr(words, RSTART, RLENGTH)
        words = substr(words, RSTART + RLENGTH)
        sub(/\(\)$/, "", found)
        sub(/^.* /, "", found)
        if (found in system_section)
            also[system_section[found] " " found] = 1
        else if (found in number_of && found != own)
            also["3 " found] = 1
    }
}

function see_also_section(header_of,    sorted, many, one, i, result, part) {
    if (header_of != "")
        also["3 " page_of(header_of)] = 1
    also["7 ctrs"] = 1
    many = 0
    for (one in also) {
        for (i = many++; i > 0 && sorted[i] > one; i--)
            sorted[i + 1] = sorted[i]
        sorted[i + 1] = one
    }
    result = ".Sh SEE ALSO\n"
    for (i = 1; i <= many; i++) {
        split(sorted[i], part, " ")
        result = result ".Xr " part[2] " " part[1] (i < many ? " ,\n" : "\n")
    }
    return result
}

function standards(n,    library) {
    library = header[n]
    if (!sub(/\/.*$/, "", library))
        return ""
    return ".Sh STANDARDS\nThis is part of the interface of " library ".\nWhat differs on purpose is in\n.Pa " docs "/differences.md .\n"
}

# ---- Headers

function page_of(path) {
    sub(/^.*\//, "", path)
    return path
}

# The rules of a header, and what it declares.
function write_header_page(path,    words, i, first) {
    words = rules[path]
    first = words
    sub(/^[a-z_]+: /, "", first)
    begin_page(page_of(path), summary(first), path)
    put(".Sh SYNOPSIS\n.In " path "\n.Sh DESCRIPTION\n" rules_of(words))
    put(contents(path) see_also_section(""))
    close(file)
}

# A paragraph that begins with a name is under that heading.
function rules_of(words,    all, many, i, result) {
    many = split(words, all, "\n\n")
    result = ""
    for (i = 1; i <= many; i++) {
        if (match(all[i], /^[A-Za-z]+( [a-z]+)?[.] /)) {
            result = result ".Ss " substr(all[i], 1, RLENGTH - 2) "\n"
            all[i] = substr(all[i], RLENGTH + 1)
        } else if (i > 1)
            result = result ".Pp\n"
        result = result paragraph(all[i])
    }
    return result
}

function contents(path,    i, last, result, open) {
    last = "\001"
    result = ".Sh DECLARATIONS\n"
    open = 0
    for (i = 1; i <= count; i++) {
        if (header[i] != path)
            continue
        if (section[i] != last) {
            result = result (open ? ".El\n" : "") (section[i] == "" ? "" : ".Ss " section[i] "\n")
            result = result ".Bl -tag -width Ds -compact\n"
            open = 1
        }
        last = section[i]
        result = result entry(i)
    }
    return result (open ? ".El\n" : "")
}

function entry(n,    result, i) {
    if (kind[n] == "macro")
        return ".It Dv " name[n] "\n" prose(comment[n])
    if (name[n] != "")
        return ".It Xr " name[n] " 3\n" sentences(summary(comment[n]))
    result = ""
    for (i = 1; i <= member_count[n]; i++)
        result = result ".It " member_item(n, i) "\n" prose(member_text[n, i])
    return result
}
