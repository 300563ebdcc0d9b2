#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# What `cargo cinstall` installs is what `make install` does: the same files, the same library to
# programs and linkers, the same answers of pkg-config. Only versions its exports have none: rustc leaves
# no room for them; and the files for CMake come with make alone.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
CARGO=${CARGO:-cargo}
. capi-tests/counts.bash

# alike COMMAND...: it succeeds in both installs, and says the same of make's (<) and cargo's (>), and something at all.
alike() {
    local install
    for install in make cargo; do
        (cd "$work/$install" && "$@") >"$work/$install.said" 2>&1 ||
            { cat "$work/$install.said"; echo "failed in the install of $install"; return 1; }
    done
    [ -s "$work/make.said" ] || { echo 'says nothing'; return 1; }
    diff "$work/make.said" "$work/cargo.said"
}

files() {
    find . \( -type f -o -type l \) ! -path '*/cmake/*' -print | LC_ALL=C sort
}

headers() {
    files | grep '\.h$' | xargs -d '\n' sha256sum
}

links() {
    realpath --relative-to=. usr/lib/libctrs.so usr/lib/libctrs.so.0
}

dynamic() {
    readelf --wide --dynamic usr/lib/libctrs.so | grep -E '\((SONAME|NEEDED|FLAGS|FLAGS_1)\)' | sort
}

exports() {
    nm --dynamic --defined-only --format=just-symbols usr/lib/libctrs.so |
        sed '/^CTRS_/d; s/@.*//' | sort
}

archive() {
    nm --defined-only --extern-only --format=posix usr/lib/libctrs.a 2>/dev/null |
        awk '$2 ~ /[TBD]/ && /^(nf[a-z]+|ctrs)_/ { print $1 }' | sort
}

ask() {
    PKG_CONFIG_LIBDIR=$PWD/usr/lib/pkgconfig pkg-config "$@" ctrs
}

# The compiler adds its unwinder itself, whichever it has.
static_libraries() {
    ask --static --libs | sed 's/ -lgcc_s//'
}

# Like the rest of what is asked, with a prefix that is not where the files are.
program() {
    local flags
    read -ra flags <<<"$(PKG_CONFIG_SYSROOT_DIR=$PWD ask --cflags --libs)"
    cc ../list.c -o list "${flags[@]}" && ldd list | grep -o 'libctrs[^ ]*' && rm list
}

echo "$("$CARGO" cinstall --version), and make"
make --no-print-directory build CARGO="$CARGO" >"$work/log" 2>&1 &&
    make --no-print-directory install-lib PREFIX=/usr DESTDIR="$work/make" >>"$work/log" 2>&1 &&
    "$CARGO" cinstall --locked --release --prefix=/usr --libdir=/usr/lib --destdir="$work/cargo" \
        >>"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
cp examples-c/list.c "$work/"

check "the files" alike files
check "the headers" alike headers
check "the links" alike links
check "the dynamic section" alike dynamic
check "the exported symbols" alike exports
check "the symbols of the archive" alike archive
for option in --modversion --cflags --libs --print-provides; do
    check "pkg-config $option" alike ask "$option"
done
check "pkg-config --static --libs" alike static_libraries
check "a program" alike program
finish
