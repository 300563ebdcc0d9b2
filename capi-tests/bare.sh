#!/usr/bin/env bash
# A command in a new Debian that has cargo, git and make, and nothing else the project needs.
#
#   bare.sh DIR COMMAND...       as root; needs debootstrap, and cargo from rustup
#
# DIR keeps the Debian, and is made where there is none. Each run gets a copy of it, and a clone of what is
# committed here; when it ends, however it ends, the copy is gone. Debian comes from where this machine's apt
# has it, the toolchain is this machine's. BARE_USER=1 installs what the tests need, and runs the command as
# an ordinary user.
set -euo pipefail
cd "$(dirname "$0")/.."
. capi-tests/root.bash

[ $# -ge 2 ] || die "usage: $0 DIR COMMAND..."
[ "$(id -u)" = 0 ] || die "only root can make a Debian: run this as root"
toolchain=$(rustc --print sysroot)
[ "$toolchain" != /usr ] || die "needs a toolchain in a folder of its own, like rustup's"
base=$1
shift

new_debian "$base" ca-certificates,git,make
copy_debian "$base"
mkdir -p "$run/opt/cargo"
[ ! -e "${CARGO_HOME:-$HOME/.cargo}/config.toml" ] ||
    cp "${CARGO_HOME:-$HOME/.cargo}/config.toml" "$run/opt/cargo/"
git clone -q --no-local . "$run/home/ctrs"
git -C "$run/home/ctrs" remote remove origin
cat >"$run/start" <<'END'
set -e
export CARGO_HOME=/opt/cargo PATH=/opt/shared/bin:$PATH
cd /home/ctrs
[ -n "${BARE_USER:-}" ] || exec "$@"
capi-tests/deps.sh check
useradd --create-home somebody
chown -R somebody /home/ctrs /opt/cargo
exec setpriv --reuid=somebody --regid=somebody --init-groups env HOME=/home/somebody \
    PATH=/opt/shared/bin:/usr/local/bin:/usr/bin:/bin "$@"
END
inside "$run" "$toolchain" bash /start "$@"
