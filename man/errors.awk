# What a comment says of values and errors, told apart. It says so in its last paragraph: "Returns 0; -1 with
# ENOENT if there is none, with EINVAL for NULL, else as other()", or "Sets errno to EINVAL for NULL".
# By the number of the function: returned[] is the text without the errors; error[] and why[], with a place, are
# these, error_count[] many; like[], like_count[] many, are the functions whose errors it has too.

function last_paragraph(words) {
    while (match(words, /\n\n/))
        words = substr(words, RSTART + 2)
    gsub(/\n/, " ", words)
    sub(/ +$/, "", words)
    return words
}

function without_last_paragraph(words,    last) {
    sub(/\n$/, "", words)
    last = length(last_paragraph(words))
    return last == length(words) ? "" : substr(words, 1, length(words) - last - 2)
}

function tells_errors(words) {
    return words ~ /^(Returns|Sets errno to) /
}

function read_errors(n,    words, sentences, sentence, i) {
    words = last_paragraph(comment[n])
    if (!tells_errors(words))
        return
    sub(/[.]$/, "", words)
    sentences = split(words, sentence, /[.] /)
    for (i = 1; i <= sentences; i++)
        returned[n] = returned[n] (i > 1 ? " " : "") read_sentence(n, sentence[i]) "."
    if (words ~ /^Sets/)
        returned[n] = ""
}

# What is between semicolons is of one value.
function read_sentence(n, words,    parts, part, one, all, i) {
    parts = split(words, part, /; /)
    for (i = 1; i <= parts; i++) {
        one = read_part(n, (part[i] ~ /^with E/ ? " " : "") part[i])
        if (one != "")
            all = all (i > 1 ? "; " : "") one
    }
    return all
}

# Where a clause about an error begins, or about those of another function; clause_length is that of its start.
function clause_at(words) {
    match(words, /,?( and| also| else| or)* (with|to) (errno (as|of) |E[A-Z0-9])|,?( and| also| else| or)* as [a-z_0-9]+\(\)/)
    clause_length = RLENGTH
    return RSTART
}

# One value: if it is that of a failure, with what clauses say of it.
function read_part(n, words,    at, head, whole, clause) {
    whole = words
    at = clause_at(words)
    head = substr(words, 1, at - 1)
    if (!at || head !~ /^(Returns|also|and|else| )*(-1|NULL|0|false|Sets errno)?( (if|when) .*)?$/)
        return words
    while (at) {
        clause = substr(words, at, clause_length)
        words = substr(words, at + clause_length)
        at = clause_at(words)
        read_clause(n, clause (at ? substr(words, 1, at - 1) : words))
    }
    if (head == "Returns")
        return whole
    return head == "" ? "" : head " with errno set"
}

function read_clause(n, clause) {
    sub(/^,?( and| also| else| or)* (with )?(to )?(errno )?/, "", clause)
    if (clause ~ /^(as|of) /)
        like[n, ++like_count[n]] = clause
    else
        read_names(n, clause)
}

# "EMFILE, ENFILE or ENOMEM, for a reason".
function read_names(n, clause,    first, found) {
    first = error_count[n] + 1
    while (match(clause, /^(,? or |,? and |, )?E[A-Z0-9]+/)) {
        found = substr(clause, 1, RLENGTH)
        clause = substr(clause, RLENGTH + 1)
        sub(/^.*[ ,]/, "", found)
        error[n, ++error_count[n]] = found
    }
    sub(/^[, ]+/, "", clause)
    for (; first <= error_count[n]; first++)
        why[n, first] = clause
}
