#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Debian's packages: built without the network in new Debians of two architectures, by the least cargo and with
# the packages alone that debian/control names; the same bytes when they are built elsewhere; no error of
# lintian; then installed, used, brought up to date and removed in another one. build.sh and use.sh
# are what is done inside. As root. CTRS_PACKAGES is the folder that keeps the Debians.
set -euo pipefail
cd "$(dirname "$0")/../../.."
. capi-tests/root.bash
folder=$(realpath -m "${CTRS_PACKAGES:-target/packages}")
here=capi-tests/packages/debian
results=$folder/debian

# fresh ARCHITECTURE: a copy of a new Debian, which knows the release's own packages only: those of all
# architectures are of one version.
fresh() {
    local release
    new_debian "$folder/$1" ca-certificates "$1"
    copy_debian "$folder/$1"
    release=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
    rm -rf "$run"/etc/apt/sources.list.d/* "$run"/etc/apt/preferences.d/*
    echo "deb $(mirror_of "$release") $release main" >"$run/etc/apt/sources.list"
    cp "$here"/build.sh "$here"/use.sh "$run/"
}

# build ARCHITECTURE WHAT...: leaves the packages in results/ARCHITECTURE.
build() {
    fresh "$1"
    cp -r "$results/source" "$run/source"
    inside "$run" "$results" bash /build.sh "${@:2}"
    cp -r "$run/results" "$results/$1"
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

began=$SECONDS
took() {
    echo "== $1: $((SECONDS - began)) s"
    began=$SECONDS
}

rm -rf "$results"
mkdir -p "$results"
packaging/deb-source.sh "$results/source"
check_copyright
took "the source"
build "$(dpkg --print-architecture)" test again older lintian
took "built, again elsewhere, as another version; read by lintian"
build i386
took "built for i386"
fresh "$(dpkg --print-architecture)"
inside "$run" "$results" bash /use.sh
took "installed, used, brought up to date, two architectures, removed"
