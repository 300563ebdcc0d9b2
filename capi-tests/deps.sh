#!/bin/sh
# What the project needs of the machine. The only list of packages, and the only place that installs.
#
#   deps.sh cargo     cargo is there and new enough
#   deps.sh lint      clippy and rustfmt are there
#   deps.sh fuzz      cargo-fuzz and a nightly toolchain are there
#   deps.sh miri      Miri is there
#   deps.sh msrv      the least Rust that the library compiles with is there
#   deps.sh deny      cargo-deny is there
#   deps.sh cargo-c   cargo-c is there, of the one version that is tested
#   deps.sh build     what a build needs, named when it is missing
#   deps.sh demo      what the demo needs } installed as root on Debian,
#   deps.sh check     what all tests need } named when it is missing otherwise
#   deps.sh musl      musl and its compiler, as targets
#   deps.sh recipes   readers and builders of packages, as demo and check
#   deps.sh targets   compilers, C libraries and qemu for other processors, as demo and check; and Rust's
#                     standard libraries for them, where rustup is there to get them
#   deps.sh packages  what makes source packages and systems to try them in, as demo and check
#
# Several words are seen to one after the other.
set -eu
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # where ordinary users do not look
CARGO=${CARGO:-cargo}
root=$(dirname "$0")/..

# Who needs it first (build, demo, check), or alone (the others above), a command or a pattern of paths, its package.
needs() {
    cat <<'END'
build   cc                                          gcc
build   strip                                       binutils
build   /usr/include/stdio.h                        libc6-dev
build   awk                                         mawk
demo    pkg-config                                  pkg-config
demo    conntrack                                   conntrack
demo    nft                                         nftables
demo    ip                                          iproute2
demo    ping                                        iputils-ping
demo    python3                                     python3
demo    unshare                                     util-linux
demo    mount                                       mount
check   git                                         git
check   jq                                          jq
check   /usr/lib/python3*/*-packages/jsonschema     python3-jsonschema
check   c++                                         g++
check   clang                                       clang
check   valgrind                                    valgrind
check   luajit                                      luajit
check   /usr/lib/python3/dist-packages/cffi/api.py  python3-cffi
check   /usr/lib/python3/dist-packages/numpy/version.py python3-numpy
check   go                                          golang-go
check   mawk                                        mawk
check   gawk                                        gawk
check   original-awk                                original-awk
check   busybox                                     busybox
check   mandoc                                      mandoc
check   find                                        findutils
check   diff                                        diffutils
check   nsenter                                     util-linux
check   setpriv                                     util-linux
check   chrt                                        util-linux
check   ss                                          iproute2
check   sysctl                                      procps
check   iptables-nft                                iptables
check   /usr/include/libnetfilter_conntrack/libnetfilter_conntrack.h libnetfilter-conntrack-dev
check   /usr/include/libnetfilter_log/libnetfilter_log.h libnetfilter-log-dev
check   /usr/include/libnetfilter_cttimeout/libnetfilter_cttimeout.h libnetfilter-cttimeout-dev
check   /usr/include/libnetfilter_cthelper/libnetfilter_cthelper.h libnetfilter-cthelper-dev
check   /usr/include/libnfnetlink/libnfnetlink.h    libnfnetlink-dev
check   conntrackd                                  conntrackd
check   nfct                                        nfct
check   ulogd                                       ulogd2
check   /usr/lib/*/ulogd/ulogd_output_JSON.so       ulogd2-json
check   /usr/lib/*/ulogd/ulogd_output_PCAP.so       ulogd2-pcap
check   /usr/lib/*/ulogd/ulogd_output_SQLITE3.so    ulogd2-sqlite3
check   /usr/lib/*/ulogd/ulogd_output_DBI.so        ulogd2-dbi
check   /usr/lib/*/dbd/libdbdsqlite3.so             libdbd-sqlite3
check   uacctd                                      pmacct
check   strace                                      strace
check   dnsmasq                                     dnsmasq-base
check   squid                                       squid
check   iptstate                                    iptstate
check   flowtop                                     netsniff-ng
check   oidentd                                     oidentd
check   tcpdump                                     tcpdump
check   tshark                                      tshark
check   tmux                                        tmux
check   autoreconf                                  autoconf
check   automake                                    automake
check   meson                                       meson
check   cmake                                       cmake
musl    musl-gcc                                    musl-tools
musl    arm-linux-gnueabihf-gcc                     gcc-arm-linux-gnueabihf
musl    /usr/arm-linux-gnueabihf/include/linux/types.h linux-libc-dev-armhf-cross
musl    qemu-arm-static                             qemu-user-static
recipes rpmbuild                                    rpm
recipes cpio                                        cpio
recipes rpmlint                                     rpmlint
recipes shellcheck                                  shellcheck
recipes conntrack                                   conntrack
targets pkg-config                                  pkg-config
targets aarch64-linux-gnu-gcc                       gcc-aarch64-linux-gnu
targets /usr/aarch64-linux-gnu/lib/libc.so          libc6-dev-arm64-cross
targets arm-linux-gnueabihf-gcc                     gcc-arm-linux-gnueabihf
targets /usr/arm-linux-gnueabihf/lib/libc.so        libc6-dev-armhf-cross
targets i686-linux-gnu-gcc                          gcc-i686-linux-gnu
targets i686-linux-gnu-g++                          g++-i686-linux-gnu
targets /usr/i686-linux-gnu/lib/libc.so             libc6-dev-i386-cross
targets mips-linux-gnu-gcc                          gcc-mips-linux-gnu
targets /usr/mips-linux-gnu/lib/libc.so             libc6-dev-mips-cross
targets s390x-linux-gnu-gcc                         gcc-s390x-linux-gnu
targets /usr/s390x-linux-gnu/lib/libc.so            libc6-dev-s390x-cross
targets qemu-mips-static                            qemu-user-static
targets conntrack                                   conntrack
targets nft                                         nftables
targets iptables-nft                                iptables
targets ip                                          iproute2
packages git                                        git
packages debootstrap                                debootstrap
packages dpkg-source                                dpkg-dev
packages xz                                         xz-utils
END
}

die() {
    printf '%s\n' "$@" >&2
    exit 1
}

where_cargo='rustup (https://rustup.rs) has it, and so has Debian 12: apt-get install cargo-web'
where_lint='rustup component add clippy rustfmt, or on Debian 12: apt-get install rust-web-clippy rustfmt-web'

wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")

check_cargo() {
    found=$("$CARGO" --version 2>/dev/null) ||
        die "cargo $wanted or newer is needed, and $CARGO does not run." "$where_cargo"
    found=${found#cargo }
    found=${found%%[ -]*}
    printf '%s\n%s\n' "$wanted" "$found" | sort -CV ||
        die "cargo $wanted or newer is needed, and this is $found." "$where_cargo"
}

check_lint() {
    for tool in clippy fmt; do
        "$CARGO" "$tool" --version >/dev/null 2>&1 ||
            die "the tests need cargo $tool, and there is none." "$where_lint"
    done
}

check_fuzz() {
    "$CARGO" +nightly fuzz --version >/dev/null 2>&1 ||
        die "this needs cargo-fuzz and a nightly toolchain, which rustup has:" \
            "rustup toolchain install nightly && cargo install cargo-fuzz"
}

check_miri() {
    "$CARGO" +nightly miri --version >/dev/null 2>&1 ||
        die "this needs Miri of a nightly toolchain, which rustup has:" \
            "rustup toolchain install nightly --component miri,rust-src"
}

check_msrv() {
    "$CARGO" "+$wanted" --version >/dev/null 2>&1 ||
        die "this needs Rust $wanted beside the one in use, which rustup has:" \
            "rustup toolchain install --profile minimal $wanted"
}

check_deny() {
    "$CARGO" deny --version >/dev/null 2>&1 || die "this needs cargo-deny: cargo install cargo-deny"
}

# The version says which cargo is in it, which has to know what the manifest says.
cargo_c=0.10.24+cargo-0.98.0

check_cargo_c() {
    found=$("$CARGO" cinstall --version 2>/dev/null) || found="cargo-c none"
    [ "${found#cargo-c }" = "$cargo_c" ] ||
        die "this needs cargo-c $cargo_c, and here is ${found#cargo-c }. With Rust 1.95 and Debian's" \
            "libssl-dev and pkg-config: cargo install --locked cargo-c@$cargo_c"
}

# processors WHO: those that WHO compiles for, as in processors.tsv.
processors() {
    case $1 in
    musl) printf '%s\t-\t-\t-\t%s\n' "$(uname -m)-unknown-linux-musl" rustup armv7-unknown-linux-musleabihf source ;;
    *) cat "$root/capi-tests/targets/processors.tsv" ;;
    esac
}

# rust_parts WHO: what of Rust's libraries the processors need that is not there: rustup's words for it.
rust_parts() {
    libraries=$(rustc --print sysroot)/lib/rustlib
    processors "$1" | while IFS='	' read -r triple _ _ _ from; do
        case $triple:$from in
        '#'*) continue ;;
        *:source) [ -e "$libraries/src/rust/library/std" ] || echo "component add rust-src" ;;
        *) ls "$libraries/$triple"/lib/libstd-*.rlib >/dev/null 2>&1 || echo "target add $triple" ;;
        esac
    done
}

# provide_rust WHO: Rust has them for the toolchain that rustup has; a toolchain of another source has them elsewhere.
provide_rust() {
    parts=$(rust_parts "$1")
    [ -n "$parts" ] || return 0
    command -v rustup >/dev/null ||
        die "missing of Rust's standard libraries, in the words of rustup, which is not there:" "$parts" \
            "Debian 12 has some: libstd-rust-web-dev of other architectures, and rust-web-src."
    echo "$parts" | while read -r part; do
        echo "rustup $part"
        # shellcheck disable=SC2086 # words
        (cd "$root" && rustup --quiet $part) || die "could not: rustup $part"
    done
}

is_there() {
    case $1 in
    /*) ls $1 >/dev/null 2>&1 ;; # a pattern
    *) command -v "$1" >/dev/null ;;
    esac
}

# missing WHO: the packages that WHO lacks, each once.
missing() {
    needs | while read -r who thing package; do
        case $1:$who in
        build:demo | build:check | demo:check) continue ;;
        *:targets | *:packages | *:musl | *:recipes | targets:[dc]* | packages:* | musl:[dc]* | recipes:*)
            [ "$1" = "$who" ] || continue
            ;;
        esac
        is_there "$thing" || printf '%s\n' "$package"
    done | sort -u | xargs
}

# Daemons that are installed here stay down: only the tests start them.
install() {
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    echo "installing: $*"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=600 "$@" </dev/null >/dev/null
}

provide() {
    packages=$(missing "$1")
    [ -n "$packages" ] || return 0
    if [ "$1" != build ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        # shellcheck disable=SC2086 # a list of words
        install $packages || die "could not install: $packages"
        packages=$(missing "$1")
        [ -z "$packages" ] || die "installed, and still without what it is for: $packages"
    else
        die "missing packages: $packages" "install them as root: apt-get install $packages"
    fi
}

for what; do
    case $what in
    cargo | lint | fuzz | miri | msrv | deny) "check_$what" ;;
    cargo-c) check_cargo_c ;;
    build | demo | check | packages | recipes) provide "$what" ;;
    targets | musl) provide "$what" && provide_rust "$what" ;;
    *) die "no $what: see the head of $0" ;;
    esac
done
