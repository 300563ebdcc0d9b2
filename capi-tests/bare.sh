#!/usr/bin/env bash
# A command in a new Debian that has cargo, git and make, and nothing else the project needs.
#
#   bare.sh DIR COMMAND...       as root; needs debootstrap, and cargo from rustup
#
# DIR keeps the Debian, and is made where there is none. Each run gets a copy of it, a clone of what is
# committed here, and mount and process namespaces of its own; when it ends, however it ends, they and
# the copy are gone. Debian comes from where this machine's apt has it, the toolchain is this
# machine's. BARE_USER=1 installs what the tests need, and runs the command as an ordinary user.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin

die() {
    printf '%s\n' "$@" >&2
    exit 1
}

[ $# -ge 2 ] || die "usage: $0 DIR COMMAND..."
[ "$(id -u)" = 0 ] || die "only root can make a Debian: run this as root"
command -v debootstrap >/dev/null || die "needs debootstrap: apt-get install debootstrap"
toolchain=$(rustc --print sysroot)
[ "$toolchain" != /usr ] || die "needs a toolchain in a folder of its own, like rustup's"
base=$1
shift

# The mirror that apt here is set up for, of a release.
mirror_of() {
    # shellcheck disable=SC2016
    apt-get indextargets --no-release-info --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
        awk -v release="$1" '$1 == release { print $2; exit }'
}

make_base() {
    local release mirror
    release=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
    mirror=$(mirror_of "$release")
    [ -n "$mirror" ] || die "apt here names no mirror of its own release '$release'"
    rm -rf --one-file-system "$base"
    mkdir -p "$base"
    echo "a new Debian in $base, from $mirror"
    debootstrap --variant=minbase --include=ca-certificates,git,make "$release" "$base" "$mirror" \
        >"$base.log" 2>&1 || die "$(tail -n 5 "$base.log")" "debootstrap failed: see $base.log"
    touch "$base/made"
}

# copy_settings: how this machine reaches its mirrors, and whom it trusts.
copy_settings() {
    rm -rf "$run/etc/apt"
    cp -a /etc/apt "$run/etc/"
    cp -a /etc/ssl/certs "$run/etc/ssl/"
    cp -a /usr/local/share/ca-certificates "$run/usr/local/share/"
    cp -L /etc/resolv.conf /etc/hosts "$run/etc/"
    mkdir -p "$run/opt/cargo" "$run/opt/rust"
    [ ! -e "${CARGO_HOME:-$HOME/.cargo}/config.toml" ] ||
        cp "${CARGO_HOME:-$HOME/.cargo}/config.toml" "$run/opt/cargo/"
}

[ -e "$base/made" ] || make_base
run=$(mktemp -d "$base.XXXXXX")
trap 'rm -rf --one-file-system "$run"' EXIT
trap 'exit 130' INT TERM HUP
cp -a "$base/." "$run/"
chmod 755 "$run"
copy_settings
git clone -q --no-local . "$run/home/ctrs"
git -C "$run/home/ctrs" remote remove origin
cat >"$run/start" <<'END'
set -e
cd "$1"
mount --bind . .
cd "$1"
mount --bind -o ro "$2" opt/rust
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mkdir old
pivot_root . old
cd /home/ctrs
umount -l /old
rmdir /old
shift 2
# Of the environment only what says how to reach the network stays.
for name in $(compgen -e); do
    case $name in *_proxy | *_PROXY | TERM | BARE_USER) ;; *) unset "$name" ;; esac
done
export HOME=/root CARGO_HOME=/opt/cargo
export PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
[ -n "${BARE_USER:-}" ] || exec "$@"
capi-tests/deps.sh check
useradd --create-home somebody
chown -R somebody /home/ctrs /opt/cargo
exec setpriv --reuid=somebody --regid=somebody --init-groups env HOME=/home/somebody \
    PATH=/opt/rust/bin:/usr/local/bin:/usr/bin:/bin "$@"
END
unshare --mount --pid --fork --kill-child --propagation private \
    bash "$run/start" "$run" "$(realpath "$toolchain")" "$@"
