# SPDX-License-Identifier: MIT OR Apache-2.0
# Debian, for scripts that need more of it than is installed: where its packages are, and one in a folder of its
# own; as root, with debootstrap. Each run gets a copy of that: it is gone when the script ends, however it ends.
PATH=$PATH:/usr/sbin:/sbin
copies=()
trap leave EXIT
trap 'exit 130' INT TERM HUP

# A failure here would be the script's, and the end of it.
leave() {
    local running
    running=$(jobs -p)
    # shellcheck disable=SC2086 # words
    [ -z "$running" ] || kill $running 2>/dev/null || :
    wait
    [ ${#copies[@]} = 0 ] || rm -rf --one-file-system "${copies[@]}"
}

die() {
    printf '%s\n' "$@" >&2
    exit 1
}

# The release of this machine, and the mirror that apt here has it from.
release_here() {
    (. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
}

mirror_here() {
    # shellcheck disable=SC2016
    apt-get indextargets --no-release-info --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
        awk -v release="$(release_here)" '$1 == release && !found++ { print $2 }'
}

# new_debian DIR PACKAGES [ARCHITECTURE]: this machine's release, where it is not there already.
new_debian() {
    local base=$1 release mirror
    [ ! -e "$base/made" ] || return 0
    [ "$(id -u)" = 0 ] || die "only root can make a Debian: run this as root"
    command -v debootstrap >/dev/null || die "needs debootstrap: apt-get install debootstrap"
    release=$(release_here)
    mirror=$(mirror_here)
    [ -n "$mirror" ] || die "apt here names no mirror of its own release '$release'"
    rm -rf --one-file-system "$base"
    mkdir -p "$base"
    echo "a new Debian in $base, from $mirror"
    debootstrap --arch="${3:-$(dpkg --print-architecture)}" --variant=minbase --include="$2" \
        "$release" "$base" "$mirror" >"$base.log" 2>&1 ||
        die "$(tail -n 5 "$base.log")" "debootstrap failed: see $base.log"
    touch "$base/made"
}

# copy_debian DIR: a copy, named by $run; with how this machine reaches its mirrors, and whom it trusts.
copy_debian() {
    run=$(mktemp -d "$1.XXXXXX")
    copies+=("$run")
    cp -a "$1/." "$run/"
    chmod 755 "$run"
    rm -rf "$run/etc/apt"
    cp -a /etc/apt "$run/etc/"
    cp -a /etc/ssl/certs "$run/etc/ssl/"
    cp -a /usr/local/share/ca-certificates "$run/usr/local/share/"
    cp -L /etc/resolv.conf /etc/hosts "$run/etc/"
}

# inside DIR SHARED COMMAND...: with DIR as root, in mount and process namespaces of its own. SHARED, a folder
# here, is /opt/shared there, to read. Of the environment only what says how to reach the network stays.
inside() {
    # shellcheck disable=SC2016 # for the shell inside
    unshare --mount --pid --fork --kill-child --propagation private bash -c '
        set -e
        cd "$1"
        mount --bind . .
        cd "$1"
        mkdir -p old opt/shared
        mount --bind -o ro "$2" opt/shared
        mount -t proc proc proc
        mount --rbind /sys sys
        mount --rbind /dev dev
        pivot_root . old
        cd /
        umount -l /old
        rmdir /old
        shift 2
        for name in $(compgen -e); do
            case $name in *_proxy | *_PROXY | TERM | BARE_USER) ;; *) unset "$name" ;; esac
        done
        export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        exec "$@"' inside "$(realpath "$1")" "$(realpath "$2")" "${@:3}"
}
