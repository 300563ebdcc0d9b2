#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Builds for musl, shared and static, and runs what docs/drop-in.md says: on this processor the unit tests,
# the C tests and programs with the kernel; on ARM with 32 bits, under qemu, what targets/not-run.tsv leaves.
# Debian has nothing for musl but the C library: what needs more is named.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
. capi-tests/root.bash
. capi-tests/targets/not-run.bash
CARGO=${CARGO:-cargo}
build=$(realpath -m "${CARGO_TARGET_DIR:-target}")
tools=$build/musl
passed=0
failed=()

suite() {
    local name=$1 begin=$SECONDS
    shift
    printf '== %s\n' "$name"
    if "$@"; then passed=$((passed + 1)); else failed+=("$name"); printf '== %s: FAILED\n' "$name"; fi
    printf '== %s: %d s\n' "$name" "$((SECONDS - begin))"
}

# tool NAME: a program of what is read here.
tool() {
    cat >"$tools/$1" && chmod 755 "$tools/$1"
}

# musl has no headers of the kernel: they come after its own.
make_tools() {
    mkdir -p "$tools"
    tool cc <<END
#!/bin/sh
exec musl-gcc "\$@" -idirafter /usr/include -idirafter /usr/include/$(cc -print-multiarch)
END
}

unit_tests() {
    "$CARGO" test --quiet --features capi --lib --target "$native"
}

# staged TRIPLE VARIABLE...: the install of that.
staged() {
    make --no-print-directory stage CARGO_BUILD_TARGET="$1" "${@:2}" >"$tools/log" 2>&1 ||
        { tail -n 20 "$tools/log"; false; }
}

# faults COMMAND...: without what it says of programs that are in order.
faults() {
    "$@" 2>&1 | grep -v ': [0-9]* passed, 0 failed$' | tail -n 40
    [ "${PIPESTATUS[0]}" = 0 ]
}

# The C tests, but for those that are of C++, or of libnfnetlink too.
c_tests() {
    local name names=()
    for name in capi-tests/c/*.c; do
        if grep -q 'Built with .*-lnfnetlink' "$name"; then
            echo "not run: ${name##*/}, which is linked with libnfnetlink"
        else
            names+=("$(basename "$name" .c)")
        fi
    done
    echo 'not run: C++, for which musl has no library'
    CTRS_STAGE=$stage CC=$tools/cc LOADER="$loader --list" faults capi-tests/c/run.sh "${names[@]}"
}

# ran NAME COMMAND...: a program that makes, finds and changes a flow, in a network of its own.
ran() {
    "${@:2}" >"$tools/said" 2>&1
    [ "$(tail -n 1 "$tools/said")" = 'seen 2, mark 0x2a' ] || { echo "$1:"; cat "$tools/said"; false; }
}

# Nothing from outside, as the document says, by hand and as make has it.
static() {
    "$tools/cc" -static -I"$stage/include/ctrs" capi-tests/dropin/source/probe.c -o "$tools/static" \
        "$stage/lib/libctrs.a" "$(rustc --print target-libdir --target "$native")/self-contained/libunwind.a" &&
        ! readelf -d "$tools/static" | grep NEEDED && ran static unshare -n "$tools/static"
}

# On the drop-in library, by ctrs-run and by the list of folders that the loader has.
drop_in() {
    local compat=$stage/lib/ctrs/compat list=${loader/lib/etc}
    list=${list%.so.1}.path
    "$tools/cc" -I"$stage/include/ctrs" capi-tests/dropin/source/probe.c -o "$tools/probe" -L"$compat" \
        -lnetfilter_conntrack &&
        ran ctrs-run unshare -n "$stage/bin/ctrs-run" "$tools/probe" || return
    ! "$tools/probe" 2>/dev/null || { echo 'it runs without a library'; return 1; }
    { echo "$compat"; cat "$list"; } >"$tools/path"
    # shellcheck disable=SC2016
    ran "$list" unshare -n -m sh -c 'mount --bind "$1" "$2" && "$3"' - "$tools/path" "$list" "$tools/probe"
}

# musl for ARM, which Debian has for that architecture alone, and a compiler that takes it in place of its own
# C library. The unwinder is its own, for programs without shared libraries.
arm_tools() {
    local package url name=arm-linux-musleabihf
    for package in musl musl-dev; do
        url=$(mirror_here)
        url+=$(apt-cache show --no-all-versions "$package" | sed -n 's/^Filename: \(.*\)_[a-z0-9]*\.deb/\1_armhf.deb/p')
        /usr/lib/apt/apt-helper -q -o APT::Sandbox::User=root download-file "$url" "$tools/$package.deb" >/dev/null &&
            dpkg -x "$tools/$package.deb" "$arm" || return
    done
    ln -sf "$arm/lib/$name/libc.so" "$arm/usr/lib/$name/libc.so"
    ln -sf "$name/libc.so" "$arm/lib/ld-musl-armhf.so.1"
    ln -sf "$(arm-linux-gnueabihf-gcc -print-file-name=libgcc_eh.a)" "$arm/usr/lib/$name/libunwind.a"
    sed "s,/usr/\(lib\|include\)/$name,$arm&,g" "$arm/usr/lib/$name/musl-gcc.specs" >"$tools/specs"
    tool arm-cc <<END
#!/bin/sh
exec arm-linux-gnueabihf-gcc "\$@" -specs $tools/specs -idirafter /usr/arm-linux-gnueabihf/include
END
}

# built COMMAND...: with Rust's library for it built here, of its source; optimised a little, for an emulator is
# slow. In a folder of its own: what a stable compiler builds with this set is not what others find.
built() {
    RUSTC_BOOTSTRAP=1 RUSTFLAGS='-C link-self-contained=no' CARGO_TARGET_DIR=$build/built-std \
        CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 "$@"
}

arm_build() {
    built staged "$triple" CARGO_FLAGS="$std" CC="$tools/arm-cc" UNWINDER=-lunwind STRIP=arm-linux-gnueabihf-strip
}

arm_unit_tests() {
    local skip
    mapfile -t skip < <(skips unit)
    CTRS_MIRROR_RUNS=200 built env "CARGO_TARGET_ARMV7_UNKNOWN_LINUX_MUSLEABIHF_LINKER=$tools/arm-cc" \
        CARGO_TARGET_ARMV7_UNKNOWN_LINUX_MUSLEABIHF_RUNNER=qemu-arm-static \
        "$CARGO" test --quiet "$std" --features capi --lib --target "$triple" -- "${skip[@]}"
}

arm_c_tests() {
    local names=()
    mapfile -t names < <(basename -s .c capi-tests/c/*.c)
    mapfile -t names < <(left c "${names[@]}")
    CTRS_STAGE=$arm_stage CC=$tools/arm-cc RUNNER=$runner LOADER="qemu-arm-static $arm/lib/ld-musl-armhf.so.1 --list" \
        faults capi-tests/c/run.sh "${names[@]}"
}

# A program that needs no kernel, on the shared library and with the archive inside.
arm_programs() {
    local source=capi-tests/systems/select.c
    "$tools/arm-cc" -I"$arm_stage/include/ctrs" $source -o "$tools/arm" -L"$arm_stage/lib" -lctrs &&
        qemu-arm-static -L "$arm" -E LD_LIBRARY_PATH="$arm_stage/lib" "$tools/arm" &&
        "$tools/arm-cc" -static -I"$arm_stage/include/ctrs" $source -o "$tools/arm" "$arm_stage/lib/libctrs.a" \
            -lunwind && qemu-arm-static "$tools/arm"
}

arm=$tools/arm-root
native=$(uname -m)-unknown-linux-musl
loader=/lib/ld-musl-$(uname -m).so.1
stage=$build/$native/stage
triple=armv7-unknown-linux-musleabihf
runner="qemu-arm-static -L $arm"
arm_stage=$build/built-std/$triple/stage
std=-Zbuild-std=std,panic_unwind
capi-tests/deps.sh cargo musl || exit
make_tools
suite "$native: unit tests" unit_tests
suite "$native: build" staged "$native"
suite "$native: static" static
suite "$native: drop-in library" drop_in
suite "$native: C" c_tests
suite "ARM: compiler" arm_tools
suite "ARM: build" arm_build
suite "ARM: programs" arm_programs
suite "ARM: unit tests" arm_unit_tests
suite "ARM: C" arm_c_tests
printf '%d passed, %d failed\n' "$passed" "${#failed[@]}"
[ ${#failed[@]} = 0 ]
