#!/usr/bin/env bash
# The libraries do not depend on where they are built: a second build, of a copy of the source in
# another folder, with another target folder, home of cargo and time zone, gives the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."

CARGO=${CARGO:-cargo}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/a longer/source" "$work/home"
cp -r Makefile Cargo.toml Cargo.lock rust-toolchain.toml src pkgconfig capi-tests \
    "$work/a longer/source"
home=${CARGO_HOME:-$HOME/.cargo}
[ ! -e "$home/registry" ] || ln -s "$home/registry" "$work/home/registry"

make --no-print-directory build CARGO="$CARGO" >/dev/null
(
    cd "$work/a longer/source"
    export CARGO_HOME=$work/home CARGO_TARGET_DIR=$work/target TZ=Pacific/Chatham LC_ALL=C
    make --no-print-directory build CARGO="$CARGO" >/dev/null 2>"$work/log" ||
        { cat "$work/log"; exit 1; }
)

for library in libctrs.so libctrs.a $(cd "$work/target/release" && echo libnetfilter_*.so.*); do
    cmp "${CARGO_TARGET_DIR:-target}/release/$library" "$work/target/release/$library"
    sha256sum "$work/target/release/$library" | sed "s|$work/target/release/||"
done
echo "both builds are the same"
