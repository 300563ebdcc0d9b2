#!/usr/bin/env bash
# The whole system on ctrs: installed in /usr/local, chosen by a line for ldconfig, taken back.
# /usr/local, /etc and ldconfig's memory are private copies here; /usr is read-only.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=programs/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/programs/lib.sh"

# The host's own /etc stays in sight through this.
[ "${DROPIN_INSIDE:-}" = "$0" ] || exec {host_etc}</etc
export host_etc
enter_private "$@"
find_stage
unset LD_LIBRARY_PATH
compat=/usr/local/lib/ctrs/compat
line=/etc/ld.so.conf.d/000-ctrs.conf

host_cache() {
    stat -L -c '%i %s %y' "/proc/self/fd/$host_etc/ld.so.cache"
}

private_usr() {
    mount --bind /usr /usr
    mount -o remount,ro,bind /usr
    mount -t tmpfs local /usr/local
    mkdir -p /usr/local/lib
    mount -t tmpfs ldconfig /var/cache/ldconfig 2>/dev/null || true
}

# make_installed TARGET: root has no cargo.
make_installed() {
    mkdir -p "$work/build/release"
    cp "$(dirname "$stage_dir")/release/"{libctrs.{a,so},libnetfilter_*.so.?} \
        "$work/build/release/"
    make -C "$here/../.." "$1" CARGO=false CARGO_TARGET_DIR="$work/build" >"$work/said" 2>&1 ||
        fail "make $1: $(tail -n 3 "$work/said")"
}

# linked_program: what README says to type builds a program that starts.
linked_program() {
    local code=0
    # shellcheck disable=SC2046
    cc "$here/../../examples-c/list.c" -o "$work/list" \
        $(PKG_CONFIG_PATH=/usr/local/lib/pkgconfig pkg-config --cflags --libs ctrs)
    on system "$work/list" >"$work/said" 2>&1 || code=$?
    expect 'a program linked with -lctrs starts' 0 "$code"
    expect 'a program linked with -lctrs lists the flow' 1 "$(grep -c 'sport=1 dport=53' "$work/said")"
}

# chosen WHEN DIR: each program gets its library of DIR from the loader, and has that one mapped.
chosen() {
    local tool name
    while read -r tool name; do
        expect "$1: the loader's choice for ${tool##*/}: $name" "$(realpath "$2/$name")" \
            "$(loaders_choice "$tool" "$name")"
    done <<END
conntrack $library
dnsmasq $library
$(echo /usr/lib/*/xtables/libxt_connlabel.so) $library
$(echo /usr/lib/*/ulogd/ulogd_inppkt_NFLOG.so) libnetfilter_log.so.1
uacctd libnetfilter_log.so.1
nfct libnetfilter_cttimeout.so.1
nfct libnetfilter_cthelper.so.0
END
    nsenter --net=/run/netns/system conntrack -E >"$work/events" 2>&1 &
    pid=$!
    wait_until 'start of conntrack' subscribed "$pid"
    expect "$1: what conntrack has mapped" "$(realpath "$2/$library")" "$(mapped "$pid")"
    kill -INT "$pid"
    wait "$pid" || true
    on system conntrack -L -o extended >"$work/$1.list" 2>&1 || fail "$1: conntrack -L"
}

# loaders_choice PROGRAM LIBRARY
loaders_choice() {
    case $1 in /*) ldd "$1" ;; *) ldd "$(command -v "$1")" ;; esac | resolved "$2"
}

# resolved LIBRARY: what ldd says of it.
resolved() {
    awk -v lib="$1" '$1 == lib { print $3 }' | xargs realpath
}

mapped() {
    awk -v lib="/${library%.so*}" 'index($6, lib) { print $6 }' "/proc/$1/maps" | sort -u
}

before=$(host_cache)
private_usr
namespace system
on system conntrack -I -p udp -s 10.1.0.1 -d 10.2.0.1 --sport 1 --dport 53 -t 3000 >/dev/null 2>&1
ldconfig
originals=$(dirname "$reference")
chosen before "$originals"

make -C "$here/../.." install CARGO_TARGET_DIR="$work/empty" >"$work/said" 2>&1 &&
    fail 'make install, with nothing built'
expect 'make install, with nothing built: says what to do' 1 "$(grep -c 'run make first' "$work/said")"
make_installed install-compat
linked_program
chosen installed "$originals"
expect 'ctrs-run: what conntrack gets' "$(realpath "$compat/$library")" \
    "$(ctrs-run ldd "$(command -v conntrack)" | resolved "$library")"

# A name that sorts after the system's own lines comes too late.
echo "$compat" >/etc/ld.so.conf.d/zzz-ctrs.conf
ldconfig
expect 'sorted last: the loader still chooses' "$reference" "$(loaders_choice conntrack "$library")"
rm /etc/ld.so.conf.d/zzz-ctrs.conf

make_installed install-system
chosen replaced "$compat"
expect 'the first in the cache' "$compat/$library" \
    "$(ldconfig -p | awk -v lib="$library" '$1 == lib { print $NF; exit }')"

rm "$line"
ldconfig
chosen restored "$originals"
for when in installed replaced restored; do
    sed -i 's/ 2[89][0-9][0-9] / 3000 /' "$work/before.list" "$work/$when.list"
    compare "$when: what conntrack lists" "$work/before.list" "$work/$when.list"
done
make_installed install-system
make_installed uninstall
expect 'uninstalled: the loader chooses' "$reference" "$(loaders_choice conntrack "$library")"
expect 'uninstalled: what is left' '' "$(find /usr/local /etc/ld.so.conf.d -name '*ctrs*')"
expect 'the cache of the host' "$before" "$(host_cache)"
tally
