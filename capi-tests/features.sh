#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Builds and installs the library without each of its parts: what was left out is in no list of exports,
# no header and no module of pkg-config, what is left compiles, and a program runs on it. Prints the
# sizes. Six builds.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
CARGO=${CARGO:-cargo}
. capi-tests/counts.bash

# Feature, what its functions begin with, its drop-in library and folder of headers, and how many functions.
parts() {
    cat <<'END'
nflog       nflog_|ctrs_nflog_|ctrs_packet_|ctrs_pcap_   libnetfilter_log
timeout     nfct_timeout_|ctrs_timeout_                  libnetfilter_cttimeout
helper      nfct_helper_|ctrs_helper_                    libnetfilter_cthelper
extensions  ctrs_                                        none
END
}

exports() {
    nm --dynamic --defined-only --format=just-symbols "$1" | sed '/^CTRS_/d; s/@.*//' | sort
}

# check_part ROOT FEATURE START LIBRARY: it is there as a whole, or not at all.
check_part() {
    local root=$1 feature=$2 names module=$4 there=no
    names=$(exports "$root/lib/libctrs.so" | grep -vx ctrs_version | grep -cE "^($3)")
    [[ " $features " != *" $feature "* ]] || there=yes
    expect "$features: functions of $feature" $there "$([ "$names" -gt 10 ] && echo yes || echo "no${names#0}")"
    [ "$module" != none ] || return 0
    expect "$features: drop-in library of $feature" $there \
        "$([ -e "$root/lib/ctrs/compat/$module.so" ] && echo yes || echo no)"
    expect "$features: headers of $feature" $there \
        "$([ -d "$root/include/ctrs/$module" ] && echo yes || echo no)"
    expect "$features: module of $feature" $there \
        "$([ -e "$root/lib/ctrs/compat/$module.pc" ] && echo yes || echo no)"
}

# Every function that the headers declare is in the library: the compiler says which they are.
check_headers() {
    local root=$1 header declared
    (cd "$root/include/ctrs" && find . -name '*.h' ! -name '*_ipv[46].h') | while read -r header; do
        printf '#include <%s>\n' "${header#./}"
    done >"$work/all.c"
    cc -Wall -Wextra -Werror -I"$root/include/ctrs" -fsyntax-only "$work/all.c" 2>"$work/said" ||
        expect "$features: headers compile" yes "$(cat "$work/said")"
    declared=$(cc -E -P -I"$root/include/ctrs" "$work/all.c" |
        grep -oE '\b(ctrs|nfct|nfexp|nflog)_[a-z0-9_]+\(' | tr -d '(' | sort -u)
    expect "$features: declared, and not there" '' \
        "$(comm -23 <(printf '%s\n' "$declared") <(exports "$root/lib/libctrs.so") | grep -v _callback | xargs)"
}

check_program() {
    local root=$1 flags
    read -ra flags <<<"$(PKG_CONFIG_PATH=$root/lib/pkgconfig pkg-config --cflags --libs ctrs)"
    cc examples-c/list.c -o "$work/list" "${flags[@]}"
    expect "$features: a program" 0 "$(LD_LIBRARY_PATH=$root/lib unshare -rn "$work/list" >/dev/null 2>&1; echo $?)"
}

bytes() {
    stat -L -c %s "$1" | awk '{ printf "%.0f", $1 / 1000 }'
}

one() {
    local root=$work/root feature start library
    features=$*
    rm -rf "$root"
    make --no-print-directory build install-compat-files FEATURES="$features" CARGO="$CARGO" \
        PREFIX="$root" >"$work/log" 2>&1 || { tail -n 20 "$work/log"; expect "$features: built" yes no; return; }
    while read -r feature start library; do
        check_part "$root" "$feature" "$start" "$library"
    done < <(parts)
    check_headers "$root"
    check_program "$root"
    printf '| %s | %s | %s |\n' "${features:-none of them}" "$(bytes "$root/lib/libctrs.so")" \
        "$(gzip -9 <"$root/lib/libctrs.so" | wc -c | awk '{ printf "%.0f", $1 / 1000 }')"
}

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/features
echo '| FEATURES | libctrs.so, KB | compressed (gzip -9), KB |'
echo '|---|--:|--:|'
one nflog timeout helper extensions
one timeout helper extensions
one nflog helper extensions
one nflog timeout extensions
one nflog timeout helper
one ''
finish
