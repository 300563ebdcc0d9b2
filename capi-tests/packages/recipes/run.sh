#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# The recipes in packaging/ but Debian's: the RPM is built of the tarballs, read by rpmlint and used;
# Alpine's is read by the shell, and its package laid of what was built for that; those of OpenWrt and Buildroot
# are run dry, down to what the Makefile would do.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../../.." || exit 1
root=$PWD
capi-tests/deps.sh demo recipes || exit
unset MAKEFLAGS MAKELEVEL DESTDIR CARGO_TARGET_DIR
. capi-tests/counts.bash
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

# says WHAT NUMBER PATTERN: so many lines of what was said have it.
says() {
    local found
    found=$(grep -cE -- "$3" "$work/said")
    expect "$1" "$2" "$found"
    [ "$2" = "$found" ] || tail -n 20 "$work/said"
}

check_versions() {
    expect 'versions in recipes' "$version $version $version $version" "$(
        sed -nE 's/^(Version: +|pkgver=|PKG_VERSION:=|CTRS_VERSION = )//p' packaging/rpm/ctrs.spec \
            packaging/alpine/APKBUILD packaging/openwrt/Makefile packaging/buildroot/ctrs.mk | xargs
    )"
}

# After check_rpm.
check_alpine() {
    local built=$work/rpm/BUILD/ctrs-$version/target/release
    expect 'Alpine: sh -n' '' "$(sh -n packaging/alpine/APKBUILD 2>&1)"
    expect 'Alpine: shellcheck' '' "$(shellcheck packaging/alpine/APKBUILD)"
    (
        # shellcheck disable=SC2317 # the recipe calls them
        amove() { ls -d "${@/#/$pkgdir/}"; }
        # shellcheck disable=SC1091
        . packaging/alpine/APKBUILD
        # shellcheck disable=SC2034
        pkgdir=$work/apk CFLAGS=-Dalpine LDFLAGS=-Wl,-zalpine
        # shellcheck disable=SC2317
        make() { command make RELEASE="$built" "$@"; }
        package && compat
        # shellcheck disable=SC2317
        make() { command make -n "$@"; }
        build
    ) >"$work/said" 2>&1
    says 'Alpine: what a subpackage takes is there' 2 "^$work/apk/usr/(bin/ctrs-run|lib/ctrs/compat)$"
    says 'Alpine: flags reach each link' 7 ' -Dalpine -Wl,-zalpine -shared '
    expect 'Alpine: the library' "usr/lib/libctrs.so.0" "$(cd "$work/apk" && ls usr/lib/libctrs.so.0)"
}

# dry TARGET MAKE...: what the recipe tells the Makefile to do, and what that would do.
dry() {
    local target=$1
    shift
    make --no-print-directory -n "$target" "$@" >"$work/commands" 2>&1
    grep -vE '^(install -d|cp) ' "$work/commands" >"$work/makes"
    MAKEFLAGS=n sh -e "$work/makes" >"$work/said" 2>&1 || { cat "$work/commands"; expect "dry: $target" well badly; }
}

openwrt() {
    dry "$1" -C "$work" -f "$root/packaging/openwrt/Makefile" TOPDIR="$here/openwrt" ROOT="$work" \
        PKG_BUILD_DIR="$root" PKG_INSTALL_DIR="$work/ipkg" "${@:2}"
}

check_openwrt() {
    openwrt compile CONFIG_LIBCTRS_NFLOG=y
    says 'OpenWrt: features' 1 '^ *--no-default-features --features "capi nflog *" '
    says 'OpenWrt: offline' 1 '^cargo rustc --offline --locked --config vendor/config.toml '
    says 'OpenWrt: what is linked' 5 '^mipsel-openwrt-linux-musl-gcc -Os -pipe -DopenWrt -znow -zrelro -shared '
    says 'OpenWrt: for the processor' 3 ' -o [^ ]*/mipsel-unknown-linux-musl/release/lib[a-z_]*\.so'
    says 'OpenWrt: in the originals places' 2 "^install -m 755 .* $work/ipkg/usr/lib/libnetfilter_"
    openwrt install
    expect 'OpenWrt: what packages take' "libctrs.so.* libnetfilter_*.so.*" \
        "$(sed -n "s|^cp .*$work/ipkg/usr/lib/\([^ ]*\) .*|\1|p" "$work/commands" | xargs -d '\n')"
}

buildroot() {
    dry "$root/$1" -f "$here/buildroot.mk" ROOT="$root" RECIPE=packaging/buildroot/ctrs.mk "${@:2}"
}

check_buildroot() {
    buildroot built BR2_PACKAGE_CTRS_EXTENSIONS=y BR2_PACKAGE_CTRS_HELPER=y
    says 'Buildroot: features' 1 '^ *--no-default-features --features "capi *helper extensions" '
    says 'Buildroot: offline' 1 '^cargo rustc --offline --locked '
    says 'Buildroot: what is linked' 4 \
        '^/host/bin/arm-buildroot-linux-gnueabihf-gcc -Os -DbuildRoot -Wl,-zbuildRoot -shared '
    buildroot installed
    says 'Buildroot: the library' 1 '^install -m 755 .* /target/usr/lib/libctrs\.so\.'
    says 'Buildroot: nothing in the originals places' 0 '/target/usr/lib/libnetfilter'
    buildroot staged BR2_PACKAGE_CTRS_COMPAT=y BR2_PACKAGE_CTRS_NFLOG=y
    says 'Buildroot: in the originals places' 2 '^install -m 755 .* /staging/usr/lib/libnetfilter'
    local option
    # shellcheck disable=SC2013 # words they are
    for option in $(grep -o 'BR2_PACKAGE_CTRS_[A-Z]*' packaging/buildroot/ctrs.mk | sort -u); do
        expect "Buildroot: Config.in has $option" 1 "$(grep -c "^config $option$" packaging/buildroot/Config.in)"
    done
}

build_rpm() {
    local top=$work/rpm
    mkdir -p "$top/SOURCES"
    make -s dist dist-vendor CARGO_TARGET_DIR="$work/dist" &&
        cp "$work/dist/"*.tar.gz "$top/SOURCES/" &&
        CARGO_HOME=$work/cargo HOME=$HOME rpmbuild -bb --noclean --nodeps --without check --define "_topdir $top" \
            packaging/rpm/ctrs.spec
}

check_rpm() {
    local files name
    build_rpm >"$work/said" 2>&1 || { says 'RPM: built' 1 never; return; }
    files=("$work"/rpm/RPMS/*/*.rpm)
    for name in libctrs0 ctrs-devel ctrs-static ctrs-compat ctrs-compat-system ctrs-doc; do
        expect "RPM: $name" 1 "$(printf '%s\n' "${files[@]##*/}" | grep -c "^$name-$version-")"
    done
    rpmlint -c "$here/rpmlint.toml" packaging/rpm/ctrs.spec "${files[@]}" >"$work/said" 2>&1
    says 'RPM: rpmlint finds no error' 0 ': E: '
    grep ': W: ' "$work/said" | sed 's/^/    rpmlint: /'
    mkdir "$work/used"
    for name in "${files[@]}"; do
        rpm2cpio "$name" | (cd "$work/used" && cpio -id --quiet)
    done
    expect 'RPM: ctrs-run' "$work/used/usr/lib64/ctrs/compat/libnetfilter_conntrack.so.3" \
        "$("$work/used/usr/bin/ctrs-run" ldd "$(command -v conntrack)" | awk '/conntrack.so/ { print $3 }' |
            sed 's|/usr/bin/\.\./|/usr/|')"
}

check_versions
check_rpm
check_alpine
check_openwrt
check_buildroot
finish
