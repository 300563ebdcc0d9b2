#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Debian's packages: built without the network in new Debians of two architectures, by the least cargo and with
# the packages alone that debian/control names; the same bytes when they are built elsewhere, the same files when
# those of armhf are built on amd64; no error of lintian; then installed, used, brought up to date and removed in
# another one. build.sh and use.sh are what is done inside. As root. CTRS_PACKAGES is the folder that keeps the
# Debians.
set -euo pipefail
cd "$(dirname "$0")/../../.."
. capi-tests/root.bash
folder=$(realpath -m "${CTRS_PACKAGES:-target/packages}")
here=capi-tests/packages/debian
results=$folder/debian

# fresh ARCHITECTURE: a copy of a new Debian, which knows the release's own packages only: those of all
# architectures are of one version.
fresh() {
    copy_debian "$folder/$1"
    rm -rf "$run"/etc/apt/sources.list.d/* "$run"/etc/apt/preferences.d/*
    echo "deb $(mirror_here) $(release_here) main" >"$run/etc/apt/sources.list"
    cp "$here"/build.sh "$here"/use.sh "$run/"
    cp -r "$results/source" "$run/source"
}

# beside NAME COMMAND...: while others do; finished NAME waits for it, and tells what it said.
declare -A doing
beside() {
    "${@:2}" >"$results/$1.log" 2>&1 &
    doing[$1]=$!
}

finished() {
    local status=0
    wait "${doing[$1]}" || status=$?
    cat "$results/$1.log"
    echo "== $1: after $SECONDS s"
    [ "$status" = 0 ] || die "failed: $1"
}

# Every crate has a stanza of debian/copyright, with the licence that it says it has.
check_copyright() {
    local manifest crate licence stated
    for manifest in "$results"/source/ctrs-*/vendor/*/Cargo.toml; do
        crate=$(basename "$(dirname "$manifest")")
        licence=$(sed -n 's/^license = "\(.*\)"/\1/p' "$manifest")
        stated=$(awk -v RS= -v file="vendor/$crate/*" \
            '{ for (i = 1; i <= NF; i++) if ($i == file) found = $0 } END { print found }' \
            packaging/debian/copyright | sed -n 's/^License: //p')
        # Debian calls the text Expat.
        licence=$(sed 's/MIT/Expat/; s/ OR / or /; s/^(\(.*\)) AND /\1, and /' <<<"$licence")
        [ "$stated" = "$licence" ] || die "debian/copyright has '$stated' for $crate, which has '$licence'"
    done
}

native=$(dpkg --print-architecture)
rm -rf "$results"
mkdir -p "$results"
beside "a new Debian" new_debian "$folder/$native" ca-certificates "$native"
beside "a new Debian of i386" new_debian "$folder/i386" ca-certificates i386
packaging/deb-source.sh "$results/source"
check_copyright
finished "a new Debian"
finished "a new Debian of i386"

fresh i386
other=$run
beside "built for i386" inside "$other" "$results" bash /build.sh build
fresh "$native"
built=$run
beside "built, and elsewhere, and as another version" inside "$built" "$results" bash /build.sh build again older
finished "built for i386"
finished "built, and elsewhere, and as another version"
mv "$other/results" "$results/i386"
mv "$built/results" "$results/$native"

cross=
[ "$native" != amd64 ] || cross=cross
beside "cross built, and lintian" inside "$built" "$results" bash /build.sh $cross lintian
fresh "$native"
inside "$run" "$results" bash /use.sh
finished "cross built, and lintian"
