#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# A program that each build system builds from the install at CTRS_STAGE, moved elsewhere, and that runs.
set -uo pipefail
cd "$(dirname "$0")/systems" || exit 1
: "${CTRS_STAGE:?the staged install: run make stage}"
unset CFLAGS CPPFLAGS LDFLAGS LIBS MAKEFLAGS CMAKE_PREFIX_PATH
. ../counts.bash
version=$(sed -n 's/^version = "\(.*\)"/\1/p' ../../Cargo.toml | head -n 1)

build_make() {
    make -s
}

build_cmake() {
    cmake -S . -B . --log-level=WARNING -DCMAKE_PREFIX_PATH="$stage" && make -s
}

build_meson() {
    meson setup build && ninja -C build && cp build/select .
}

build_meson_cmake() {
    sed -i "s/version: /method: 'cmake', modules: 'ctrs::ctrs', &/" meson.build &&
        CMAKE_PREFIX_PATH=$stage PKG_CONFIG_PATH='' build_meson
}

build_autoconf() {
    aclocal && autoconf && ./configure --quiet && make -s
}

build_autoconf_search() {
    autoconf && ./configure --quiet CPPFLAGS="-I$stage/include/ctrs" LDFLAGS="-L$stage/lib" && make -s
}

# system NAME FOLDER: builds the program in a copy of the folder.
system() {
    mkdir "$work/$1"
    cp -r "$2/." select.c "$work/$1/"
    check "$1: it builds" in_folder "$1"
    runs "$1" select libctrs.so.0 env LD_LIBRARY_PATH="$stage/lib"
}

in_folder() {
    (cd "$work/$1" && "build_$1")
}

# runs SYSTEM PROGRAM LIBRARY COMMAND...: it says what it should, on that library of the install.
runs() {
    local program=$work/$1/$2
    expect "$1: what $2 says" "ctrs $version: tcp and dport 443" "$("${@:4}" "$program" 2>&1)"
    expect "$1: what $2 loads" "${3:+$stage/lib/$3}" "$("${@:4}" ldd "$program" | awk '/ctrs/ { print $3 }')"
}

# Of versions that are asked for: those that this one can stand for.
cmake_versions() {
    local wanted
    for wanted in "$version" 0.1 0 "$version EXACT" 0.9 1 '0.1 EXACT'; do
        printf '%s\n' 'cmake_minimum_required(VERSION 3.13)' 'project(versions NONE)' \
            "find_package(ctrs $wanted)" "message(\"\${ctrs_FOUND} \${ctrs_FEATURES}\")" \
            >"$work/CMakeLists.txt"
        printf '%s: ' "$wanted"
        cmake -S "$work" -B "$work/versions" -DCMAKE_PREFIX_PATH="$stage" 2>&1 | grep -E '^[01]( |$)'
    done >"$work/said"
    local all=';nflog;timeout;helper;extensions'
    check 'cmake: versions' diff - "$work/said" <<END
$version: 1 ${all#;}
0.1: 1 ${all#;}
0: 1 ${all#;}
$version EXACT: 1 ${all#;}
0.9: 0 
1: 0 
0.1 EXACT: 0 
END
}

# What finds its files by where it was installed does not find them here.
stage=$work/moved
cp -r "$CTRS_STAGE" "$stage"
sed -i "s|$CTRS_STAGE|$stage|" "$stage/lib/pkgconfig/ctrs.pc"
export PKG_CONFIG_PATH=$stage/lib/pkgconfig
system make make
system cmake cmake
runs cmake select-static ''
cmake_versions
system meson meson
system meson_cmake meson
system autoconf autoconf
system autoconf_search autoconf-search
finish
