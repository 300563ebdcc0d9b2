#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Inside a new Debian, what its words say, in this order: build, of /source, which leaves packages in /results;
# again, elsewhere, for the same bytes; older, as a version before, in /results/older; cross, for armhf
# from amd64, the same files; lintian.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive DEB_BUILD_OPTIONS=nocheck
wanted=" $* "

# buildpackage OPTIONS...: in this folder, without the network.
buildpackage() {
    (cd tree && unshare --net dpkg-buildpackage -us -uc "$@") >log 2>&1 || { tail -n 40 log; exit 1; }
}

# built FOLDER OPTIONS...: in a copy of the source there.
built() {
    mkdir -p "$1"
    cd "$1"
    cp /source/*.tar.* /source/*.dsc .
    dpkg-source -x ./*.dsc tree >/dev/null 2>&1
    buildpackage "${@:2}"
}

# The flags of dpkg-buildflags are in the command of each link.
check_links() {
    local flags
    flags=$(cd tree && dpkg-buildflags --get CFLAGS) && flags+=" $(dpkg-buildflags --get LDFLAGS)"
    [ "$(grep -cF -- "$flags -shared -o target/" log)" = 5 ] || { echo "links without: $flags"; exit 1; }
}

# The compiler has nothing to say, and what has no use for a panic has nothing of what tells of one.
check_compiled() {
    local file bytes
    ! grep -A 5 '^warning' log || exit 1
    for file in tree/debian/{libctrs0,ctrs-compat}/usr/lib/*/{.,ctrs/compat}/*.so.*.*; do
        [ -e "$file" ] || continue
        bytes=$(stat -c %s "$file")
        echo "$bytes bytes: ${file##*/}"
        [[ $file != *libnetfilter_ct* ]] || [ "$bytes" -lt 65536 ] || { echo "too large"; exit 1; }
    done
}

build() {
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends build-essential >/dev/null
    apt-get build-dep -y -qq --no-install-recommends /source/*.dsc >/dev/null
    cargo --version
    again=
    [[ $wanted != *" again "* ]] || {
        (export TZ=Pacific/Chatham LC_ALL=C && umask 027 && built /home/somebody/elsewhere -F) &
        again=$!
    }
    built /build -F
    check_links
    check_compiled
    mkdir /results
    cp ./*.deb /results/
    rm -f /results/*-dbgsym_*
    [ -z "$again" ] || same "$again"
}

# same PROCESS: that made them again.
same() {
    local package packages=(/build/*.deb)
    wait "$1"
    for package in "${packages[@]}"; do
        cmp "$package" "/home/somebody/elsewhere/${package##*/}"
    done
    echo "built elsewhere, they are the same: ${#packages[@]} packages"
}

older() {
    mkdir /results/older
    sed -i '1s/)/~before)/' tree/debian/changelog
    rm -f tree/debian/*debhelper* # which say that all is done
    buildpackage -nc -b
    mv ./*~before*.deb /results/older/
    rm -f /results/older/*-dbgsym_*
}

# files PACKAGE: the names in it, and their modes, whatever the architecture.
files() {
    dpkg-deb --contents "$1" | sed -E 's/(x86_64|arm)-linux-gnu(eabihf)?/TRIPLET/' |
        awk '{ print $1, $6, $8 }' | LC_ALL=C sort -k 2
}

cross() {
    local package profiles=cross,nocheck
    dpkg --add-architecture armhf
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends crossbuild-essential-armhf >/dev/null
    apt-get build-dep -y -qq --no-install-recommends -a armhf -P "$profiles" /source/*.dsc >/dev/null
    built /build/cross -B -a armhf -P"$profiles"
    check_compiled
    for package in /build/*_amd64.deb; do
        [[ $package == *-dbgsym_* || $package == *~before* ]] ||
            diff <(files "$package") <(files "$(basename "${package/amd64/armhf}")")
    done
    echo "built for armhf from here, they have the same files"
}

lintian_reads() {
    apt-get install -y -qq --no-install-recommends lintian >/dev/null
    lintian --allow-root --no-override --fail-on error /build/ctrs_*-?_*.changes
    echo "lintian has no error"
}

[[ $wanted != *" build "* ]] || build
[[ $wanted != *" older "* ]] || older
[[ $wanted != *" cross "* ]] || cross
[[ $wanted != *" lintian "* ]] || lintian_reads
