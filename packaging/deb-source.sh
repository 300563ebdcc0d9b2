#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# The source package for Debian, with the crates that it is made of:
#
#   deb-source.sh DIR     DIR/ctrs-VERSION, unpacked, and what dpkg-source makes of it beside it
#
# In it debian/ is at the top, the crates are in vendor/, and libctrs0 has the list of its exports. Fetches the
# crates that cargo does not have.
set -euo pipefail
mkdir -p "$1"
out=$(realpath "$1")
cd "$(dirname "$0")/.."

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
tree=$out/ctrs-$version

# Each name with the first version that has it: of nfct_new@@CTRS_0.1, 0.1.0.
symbols() {
    printf '%s\n' 'libctrs.so.0 libctrs0 #MINVER#' '* Build-Depends-Package: libctrs-dev'
    {
        sed -n 's/^\([a-z].*\)@@CTRS_\(.*\)/ \1@CTRS_\2 \2.0/p' capi-tests/abi/exports.txt
        sed -n 's/^CTRS_\([0-9.]*\) {$/ CTRS_\1@CTRS_\1 \1.0/p' pkgconfig/ctrs.map
    } | LC_ALL=C sort
}

make --no-print-directory dist dist-vendor CARGO_TARGET_DIR="$out" >/dev/null
rm -rf "$tree" "$out/vendor"
mv "$out/ctrs-$version.tar.gz" "$out/ctrs_$version.orig.tar.gz"
mv "$out/ctrs-$version-vendor.tar.gz" "$out/ctrs_$version.orig-vendor.tar.gz"
cd "$out"
tar -xf "ctrs_$version.orig.tar.gz"
tar -C "$tree" -xf "ctrs_$version.orig-vendor.tar.gz"
cp -r "$tree/packaging/debian" "$tree/debian"
(cd "$tree" && symbols >debian/libctrs0.symbols)
dpkg-source --build "$tree"
