#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# What make installs, where, and that it takes all of it back; the tarballs; what a cross build and
# a package tell make. Builds nothing: what `make` has left is installed into folders of the test.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
unset DESTDIR PREFIX LIBDIR STRIP CARGO_BUILD_TARGET SOURCE_DATE_EPOCH MAKEFLAGS
. capi-tests/counts.bash

# quietly COMMAND...: what it said, and a failure of the test, if it fails.
quietly() {
    "$@" >"$work/said" 2>&1 || expect "$*" 'to succeed' "$(tail -n 5 "$work/said")"
}

lay() {
    quietly make --no-print-directory DESTDIR="$work/root" "$@"
}

# All that is below the root, folders too.
laid() {
    (cd "$work/root" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort)
}

# The files, without the many headers and documents.
summary() {
    (cd "$work/root" && find . ! -type d -printf '%P\n') | LC_ALL=C sort |
        sed -E 's,(include|doc)/ctrs/.*,\1/ctrs/...,; s,man3/.*3ctrs,man3/...,' | uniq
}

# symbols LIBRARY: how many names it has beside those that it exports.
symbols() {
    nm "$work/root/usr/lib/arch/$1" 2>/dev/null | wc -l
}

drop_ins='libnetfilter_conntrack libnetfilter_cthelper libnetfilter_cttimeout libnetfilter_log'

# A root with an original of the system's, and a folder that is empty.
fresh() {
    rm -rf "$work/root"
    mkdir -p "$work/root/usr/lib/arch/pkgconfig" "$work/root/usr/share/doc" "$work/root/etc/ld.so.conf.d"
    : >"$work/root/usr/lib/arch/libnetfilter_conntrack.so.3"
}

multiarch='PREFIX=/usr LIBDIR=/usr/lib/arch'

check_files() {
    fresh
    laid >"$work/before"
    # shellcheck disable=SC2086 # a list of words
    lay install-system $multiarch
    expect 'the files' "etc/ld.so.conf.d/000-ctrs.conf
usr/bin/ctrs-run
usr/include/ctrs/...
usr/lib/arch/cmake/ctrs/ctrs-config-version.cmake
usr/lib/arch/cmake/ctrs/ctrs-config.cmake
$(sed 's,^,usr/lib/arch/ctrs/compat/,' "$work/drop-ins")
usr/lib/arch/libctrs.a
usr/lib/arch/libctrs.so
usr/lib/arch/libctrs.so.0
usr/lib/arch/libctrs.so.$version
usr/lib/arch/libnetfilter_conntrack.so.3
usr/lib/arch/pkgconfig/ctrs.pc
usr/share/doc/ctrs/...
usr/share/man/man1/ctrs-run.1
usr/share/man/man3/...
usr/share/man/man7/ctrs.7" "$(summary)"
    expect 'the line for the loader' /usr/lib/arch/ctrs/compat \
        "$(cat "$work/root/etc/ld.so.conf.d/000-ctrs.conf")"
    expect 'links that lead nowhere' '' "$(find "$work/root" -xtype l)"
    expect 'headers' "$(cd include && find . -type f | sort)" \
        "$(cd "$work/root/usr/include/ctrs" && find . -type f | sort)"
    expect 'modes' '644 755' "$(find "$work/root/usr" -type f -newer "$work/before" -printf '%m\n' |
        sort -u | xargs)"
    expect 'DESTDIR in what is installed' '' "$(grep -rlF "$work" "$work/root")"
    expect 'names to put in' '' "$(cd "$work/root/usr" && grep -rlIE '@[A-Z_]+@' bin lib share/man)"
    expect 'stripped' '0 0' "$(symbols libctrs.so) $(symbols ctrs/compat/libnetfilter_log.so)"
}

# After check_files: each file is of a package, or said to be of none.
check_debian() {
    local file pattern
    sed 's,doc/ctrs-doc,doc/ctrs,' packaging/debian/*.install packaging/debian/not-installed >"$work/packages"
    # shellcheck disable=SC2254 # patterns they are
    expect 'what no package of Debian takes' '' "$(
        cd "$work/root" && find usr ! -type d -newer "$work/before" | while read -r file; do
            while read -r pattern; do
                case $file in $pattern | $pattern/*) continue 2 ;; esac
            done <"$work/packages"
            echo "$file"
        done
    )"
}

# After check_files: with nothing built, and a file that somebody else has put among ours.
check_uninstall() {
    : >"$work/root/usr/include/ctrs/of-somebody-else.h"
    # shellcheck disable=SC2086
    lay uninstall $multiarch CARGO_TARGET_DIR="$work/empty"
    expect 'uninstalled' "$(printf 'usr/%s\n' bin include include/ctrs include/ctrs/of-somebody-else.h \
        lib/arch/cmake share/man share/man/man1 share/man/man3 share/man/man7 | LC_ALL=C sort - "$work/before")" "$(laid)"
}

# In the originals' places, and not over one.
check_originals() {
    fresh
    if make -s install-compat DESTDIR="$work/root" PREFIX=/usr LIBDIR=/usr/lib/arch \
        COMPATDIR=/usr/lib/arch >"$work/said" 2>&1; then
        expect 'an original in the way' 'a failure' success
    fi
    expect 'an original is left alone' 1 "$(grep -c 'libnetfilter_conntrack.so.3 is not of ctrs' "$work/said")"
    rm -rf "$work/root"
    lay install-compat PREFIX=/usr COMPATDIR=/usr/lib
    lay install-compat PREFIX=/usr COMPATDIR=/usr/lib
    expect 'modules among the originals' "ctrs $drop_ins" \
        "$(PKG_CONFIG_LIBDIR=$work/root/usr/lib/pkgconfig pkg-config --list-package-names | sort | xargs)"
    lay uninstall PREFIX=/usr COMPATDIR=/usr/lib
    expect 'among the originals, and back' '' "$(find "$work/root" ! -type d)"
}

check_strip() {
    rm -rf "$work/root"
    # shellcheck disable=SC2086
    lay install-compat $multiarch STRIP=:
    expect 'with STRIP=: there are symbols' 'yes yes' "$(
        for file in libctrs.so ctrs/compat/libnetfilter_log.so; do
            [ "$(symbols "$file")" -gt 100 ] && echo yes
        done | xargs
    )"
}

# dry VARIABLE...: what a build would do.
dry() {
    make -n build "$@" 2>&1
}

check_cross() {
    local links arm=armv7-unknown-linux-gnueabihf
    links=$(dry CARGO_BUILD_TARGET=$arm CFLAGS=-DcFlag LDFLAGS=-Wl,-z,ldFlag | grep ' -shared ')
    expect 'cross: the compiler, its flags, and where' "$(grep -c . <<<"$links")" \
        "$(grep -c "^arm-linux-gnueabihf-gcc -DcFlag -Wl,-z,ldFlag .*target/$arm/release/" <<<"$links")"
    links=$(CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_LINKER=some-ld dry CARGO_BUILD_TARGET=$arm)
    expect 'cross: the linker that cargo is told' "$(grep -c ' -shared ' <<<"$links")" \
        "$(grep -c '^some-ld .* -shared ' <<<"$links")"
    mkdir -p "$work/home"
    printf '[build]\ntarget = "%s"\n' $arm >"$work/home/config.toml"
    expect "cross: cargo's configuration, another prefix, another strip" 2 "$(
        CARGO_HOME=$work/home make -n install-lib DESTDIR=/none CROSS_COMPILE=my- |
            grep -cE "^(install .*target/$arm/release/libctrs.so |my-strip /none/usr/local/lib/libctrs.so)"
    )"
    expect 'the compiler that make is told' 0 "$(dry CC=my-cc | grep ' -shared ' | grep -vc '^my-cc ')"
    expect 'what cargo is told' 1 "$(dry CARGO_FLAGS='--offline --locked' |
        grep -c '^cargo rustc --offline --locked ')"
}

tarball() {
    quietly make -s dist CARGO_TARGET_DIR="$1"
    sha256sum <"$1/ctrs-$version.tar.gz"
}

check_dist() {
    local first
    first=$(tarball "$work/first")
    tar -xzf "$work/first/ctrs-$version.tar.gz" -C "$work"
    expect 'dist: the files of git' "$(git ls-files | grep -v / | sort)" \
        "$(cd "$work/ctrs-$version" && find . -maxdepth 1 ! -type d -printf '%P\n' | sort)"
    touch Makefile
    expect 'dist: when a file was touched' "$first" "$(tarball "$work/touched")"
    expect 'dist: of the unpacked tarball' "$first" "$(cd "$work/ctrs-$version" && umask 077 && tarball target)"
    expect 'dist: of an hour' 'yes' "$(SOURCE_DATE_EPOCH=7200 tarball "$work/hour" >/dev/null
        tar -tvzf "$work/hour/ctrs-$version.tar.gz" --utc | grep -qv ' 1970-01-01 02:00 ' || echo yes)"
}

check_help() {
    local variable
    make help >"$work/help"
    # shellcheck disable=SC2013 # words they are
    for variable in $(sed -n 's/^\([A-Z_]*\) ?=.*/\1/p' Makefile); do
        expect "help: $variable" yes "$(grep -qw "$variable" "$work/help" && echo yes)"
    done
}

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
: >"$work/drop-ins"
for name in $drop_ins; do
    file=$(grep -o "$name\.so\.[0-9.]*" Makefile | head -n 1)
    printf '%s\n' "$name.pc" "$name.so" "${file%.*.*}" "$file" >>"$work/drop-ins"
done
check_files
check_debian
check_uninstall
check_originals
check_strip
check_cross
check_dist
check_help
finish
