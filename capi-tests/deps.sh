#!/bin/sh
# Installs what the demo and the tests need (as root on Debian), else names what is missing.
set -eu

# command:package; a command that starts with / is a file.
needs='
cc:gcc
c++:g++
readelf:binutils
unshare:util-linux
timeout:coreutils
make:make
pkg-config:pkg-config
python3:python3
ip:iproute2
nft:nftables
iptables:iptables
ping:iputils-ping
conntrack:conntrack
valgrind:valgrind
clang:clang
jq:jq
/usr/lib/x86_64-linux-gnu/libnetfilter_conntrack.so:libnetfilter-conntrack-dev
/usr/include/libnfnetlink/libnfnetlink.h:libnfnetlink-dev
'
missing=
for need in $needs; do
    command=${need%%:*}
    package=${need#*:}
    case $command in
        /usr/lib/*) [ -e "/usr/lib/$(cc -print-multiarch 2>/dev/null)/${command##*/}" ] && continue ;;
        /*) [ -e "$command" ] && continue ;;
        *) PATH="$PATH:/usr/sbin:/sbin" command -v "$command" >/dev/null && continue ;;
    esac
    missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "installing:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "missing packages:$missing" >&2
    echo "install them as root: apt-get install$missing" >&2
    exit 1
fi
