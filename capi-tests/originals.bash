# SPDX-License-Identifier: MIT OR Apache-2.0
# Debian's packages of the libraries that ctrs takes the place of, for another processor: unpacked below the target
# folder, none is installed. Include it after root.bash.
original_packages=(libc6 libgcc-s1 libmnl0 libnfnetlink0 libnetfilter-conntrack3 libnetfilter-log1
    libnetfilter-cttimeout1 libnetfilter-cthelper0 conntrack)

# unpack DIR PROCESSOR: into DIR/PROCESSOR/root, named by $root, which is then like the root of a Debian.
unpack() {
    local folder=$1/$2 apt package
    root=$folder/root
    [ ! -e "$folder/complete" ] || return 0
    rm -rf "$folder"
    mkdir -p "$folder"/{state/lists/partial,cache/archives/partial,packages,root/usr/lib}
    ln -s usr/lib "$root/lib"
    touch "$folder/state/status"
    echo "deb $(mirror_here) bookworm main" >"$folder/sources.list"
    apt=(apt-get -qq -o "APT::Architecture=$2" -o "APT::Architectures=$2" -o APT::Sandbox::User=root
        -o "Dir::State=$folder/state" -o "Dir::State::status=$folder/state/status"
        -o "Dir::Cache=$folder/cache" -o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=-)
    "${apt[@]}" update || return
    (cd "$folder/packages" && "${apt[@]}" download "${original_packages[@]}") || return
    for package in "$folder"/packages/*.deb; do
        dpkg --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$root" || return
    done
    touch "$folder/complete"
}
