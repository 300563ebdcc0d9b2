#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Inside a new Debian, with the packages of /opt/shared: they pass their own tests; what Debian's conntrack
# loads is the original but with ctrs-run or ctrs-compat-system, and again without; they are brought up to date,
# stand beside those of i386, and leave nothing.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
native=$(dpkg --print-architecture)
packages=/opt/shared/$native
foreign=/opt/shared/i386
all=(libctrs0 libctrs-dev ctrs-compat ctrs-compat-system ctrs-doc)

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

apt() {
    apt-get -y -qq --no-install-recommends "$@" >/tmp/apt.log 2>&1 || { cat /tmp/apt.log; fail "apt-get $*"; }
}

# loads WHAT COMMAND...: the library of Debian's conntrack, asked with ldd: original or ctrs.
loads() {
    local wanted=$1 library found=original
    shift
    library=$("$@" | sed -n 's/^.*libnetfilter_conntrack.so.3 => \([^ ]*\) .*/\1/p')
    [ -n "$library" ] || fail "$* names no library"
    [[ $library != */ctrs/compat/* ]] || found=ctrs
    [ "$found" = "$wanted" ] || fail "$*: $library is not the $wanted one"
}

# finds PROGRAM [ARGUMENT...]: told of the flow that conntrack made, it prints it.
finds() {
    unshare --net bash -c 'conntrack -I -p tcp -s 192.0.2.1 -d 192.0.2.2 --sport 7 --dport 53 -t 60 \
        --state ESTABLISHED >/dev/null 2>&1 &&
        "$@" 2>/dev/null | grep -q "src=192.0.2.1 dst=192.0.2.2 sport=7 dport=53"' \
        finds "$@" || fail "$* does not find the flow"
}
asked=(-G -p tcp -s 192.0.2.1 -d 192.0.2.2 --sport 7 --dport 53)

# versions PATTERN: what is installed is all of it.
versions() {
    local package version
    for package in "${all[@]}"; do
        # shellcheck disable=SC2016
        version=$(dpkg-query -W -f '${Version}' "$package:$native" 2>/dev/null || dpkg-query -W -f '${Version}' "$package")
        # shellcheck disable=SC2053
        [[ $version = $1 ]] || fail "$package is $version, not $1"
    done
    [ -z "$(dpkg --verify "${all[@]}")" ] || fail "files are not as packaged: $(dpkg --verify "${all[@]}")"
}

# Whatever has the name, but for the packages themselves and what this script has made.
left() {
    find / -xdev \( -path /opt/shared -o -path /source -o -path /tmp \) -prune -o -name '*ctrs*' -print
    ! ldconfig -p | grep ctrs
}

tests_of_the_package() {
    apt install autopkgtest conntrack
    cp -r /opt/shared/source /tmp/source
    autopkgtest -q --no-built-binaries "$packages"/*.deb /tmp/source/ctrs-*/ -- null >/tmp/tests.log 2>&1 ||
        { cat /tmp/tests.log; fail "autopkgtest"; }
    grep -E "^(link|conntrack|every-program) +PASS" /tmp/tests.log
    apt purge "${all[@]}"
}

upgrade() {
    apt install "$packages"/older/*.deb gcc libc6-dev pkg-config
    versions '*~before'
    loads ctrs ldd /usr/sbin/conntrack
    # shellcheck disable=SC2046 # words
    cc -o /tmp/get /usr/share/doc/ctrs-doc/examples-c/get.c $(pkg-config --cflags --libs ctrs)
    apt install "$packages"/*.deb
    versions '*-[0-9]'
    loads ctrs ldd /usr/sbin/conntrack
    finds /tmp/get 192.0.2.1 7 192.0.2.2 53
    finds conntrack "${asked[@]}"
}

# Debian's conntrack is of one architecture at a time: the other one is unpacked beside it.
two_architectures() {
    apt install "$foreign"/*.deb gcc-i686-linux-gnu libc6-dev:i386 libnetfilter-conntrack3:i386
    (cd /tmp && apt-get download -qq conntrack:i386 && dpkg-deb -x conntrack_*_i386.deb i386)
    loads ctrs ldd /tmp/i386/usr/sbin/conntrack
    apt purge ctrs-compat-system:i386
    loads original ldd /tmp/i386/usr/sbin/conntrack
    loads ctrs ldd /usr/sbin/conntrack
    loads ctrs ctrs-run ldd /tmp/i386/usr/sbin/conntrack
    loads ctrs ctrs-run ldd /usr/sbin/conntrack
    finds ctrs-run /tmp/i386/usr/sbin/conntrack "${asked[@]}"
    # shellcheck disable=SC2046 # words
    i686-linux-gnu-gcc -o /tmp/get-i386 /usr/share/doc/ctrs-doc/examples-c/get.c \
        $(PKG_CONFIG_LIBDIR=/usr/lib/i386-linux-gnu/pkgconfig pkg-config --cflags --libs ctrs)
    finds /tmp/get-i386 192.0.2.1 7 192.0.2.2 53
}

removal() {
    apt remove ctrs-compat-system
    loads original ldd /usr/sbin/conntrack
    finds conntrack "${asked[@]}"
    loads ctrs ctrs-run ldd /usr/sbin/conntrack
    apt install "$packages"/ctrs-compat-system_*.deb
    loads ctrs ldd /usr/sbin/conntrack
    # Takes what depends on it along.
    apt remove ctrs-compat
    loads original ldd /usr/sbin/conntrack
    apt purge "${all[@]}" libctrs0:i386 libctrs-dev:i386 ctrs-compat:i386
    [ -z "$(left)" ] || fail "left behind: $(left)"
    dpkg --audit
}

[ "$native" = i386 ] || dpkg --add-architecture i386
apt update
for part in tests_of_the_package upgrade two_architectures removal; do
    "$part"
    echo "passed: $part"
done
