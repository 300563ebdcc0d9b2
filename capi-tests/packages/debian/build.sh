#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Inside a new Debian: builds /source, and leaves packages in /results. Words: test, with the unit tests;
# again, elsewhere, for the same bytes; older, as a version before, in /results/older; lintian.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive DEB_BUILD_OPTIONS=nocheck

# built FOLDER OPTIONS...: in a copy of the source there, without the network.
built() {
    mkdir -p "$1"
    cd "$1"
    cp /source/*.tar.* /source/*.dsc .
    dpkg-source -x ./*.dsc tree >/dev/null 2>&1
    buildpackage "${@:2}"
}

buildpackage() {
    cd tree
    unshare --net dpkg-buildpackage -us -uc "$@" >../log 2>&1 || { tail -n 40 ../log; exit 1; }
    cd ..
}

apt-get update -qq
apt-get install -y -qq --no-install-recommends build-essential >/dev/null
apt-get build-dep -y -qq --no-install-recommends /source/*.dsc >/dev/null
cargo --version

wanted=" $* "
[[ $wanted != *" test "* ]] || unset DEB_BUILD_OPTIONS
# All packages where lintian reads them, else those of this architecture.
which=-B
[[ $wanted != *" lintian "* ]] || which=-F
built /build "$which"
[[ $wanted != *" test "* ]] || grep '^test result: ok' /build/log
mkdir /results
cp /build/*.deb /results/
rm -f /results/*-dbgsym_*
export DEB_BUILD_OPTIONS=nocheck

if [[ $wanted = *" again "* ]]; then
    (export TZ=Pacific/Chatham LC_ALL=C && umask 027 && built /home/somebody/elsewhere -b)
    for package in /build/*.deb; do
        cmp "$package" "/home/somebody/elsewhere/${package##*/}"
    done
    echo "the packages are the same, built elsewhere"
fi
if [[ $wanted = *" older "* ]]; then
    cd /build
    mkdir /results/older
    sed -i '1s/)/~before)/' tree/debian/changelog
    rm -f tree/debian/*debhelper* # which say that all is done
    buildpackage -nc -b
    mv ./*~before*.deb /results/older/
    rm -f /results/older/*-dbgsym_*
fi
if [[ $wanted = *" lintian "* ]]; then
    apt-get install -y -qq --no-install-recommends lintian >/dev/null
    lintian --allow-root --no-override --fail-on error /build/ctrs_*-?_*.changes
    echo "lintian has no error"
fi
