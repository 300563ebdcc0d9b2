#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Builds and runs the C test programs here, or those that are named: run.sh objects copy. Those that
# need the kernel move into a network namespace of their own. A name that begins with nflog, timeout or
# helper tells of which library a program is; all others are of libnetfilter_conntrack.
#
#   CTRS_STAGE    prefix of an installation of ctrs (required but with REFERENCE=1)
#   VALGRIND=1    runs them under valgrind: no error, no leak
#   SANITIZE=1    builds them with the address and undefined behaviour sanitizers
#   REFERENCE=1   builds them against Debian's libraries instead, to see what they do
#   DROPIN=1      builds them against that, and runs the binaries on CTRS_COMPAT_DIR
#   JOBS          programs that run at a time, default one for each processor
#   CC, CXX       the compilers, default gcc and g++
#   RUNNER        what runs programs of another processor, which CC compiles for
#   LOADER        what says which libraries such a program loads, as ldd does; default RUNNER, of glibc
set -u
cd "$(dirname "$0")" || exit 1
PATH=$PATH:/usr/sbin:/sbin # where ordinary users do not look
read -ra runner <<<"${RUNNER-}"
read -ra loader <<<"${LOADER-env LD_TRACE_LOADED_OBJECTS=1 ${RUNNER-}}"
[ -n "${RUNNER-}" ] || ../deps.sh check || exit
cflags=(-std=c99 -g -Wall -Wextra -Werror -Wno-deprecated-declarations)
REFERENCE=${REFERENCE-${DROPIN-}}
if [ -n "$REFERENCE" ]; then
	cflags+=(-DREFERENCE ${DROPIN:+-DDROPIN})
else
	: "${CTRS_STAGE:?is the prefix ctrs was installed under}"
	pc=$(find "$CTRS_STAGE/" -name ctrs.pc 2>/dev/null | head -n 1)
	[ -n "$pc" ] || { echo "no ctrs.pc below $CTRS_STAGE"; exit 1; }
	export PKG_CONFIG_PATH=${pc%/*}
fi
[ -z "${DROPIN-}" ] || : "${CTRS_COMPAT_DIR:?has the drop-in libraries}"

# of_library PROGRAM: sets how it is built and the library that it is to load.
of_library() {
	local module=ctrs
	case $REFERENCE,$1 in
	,*) ;;
	*,nflog*) module=libnetfilter_log ;;
	*,timeout*) module=libnetfilter_cttimeout ;;
	*,helper*) module=libnetfilter_cthelper ;;
	*) module=libnetfilter_conntrack ;;
	esac
	read -ra include <<<"$(pkg-config --cflags "$module")"
	read -ra libs <<<"$(pkg-config --libs "$module")"
	libdir=${DROPIN:+$CTRS_COMPAT_DIR}
	libdir=$(realpath "${libdir:-$(pkg-config --variable=libdir "$module")}")
	library=lib${module#lib}
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# attributes.h includes these. Not beside the programs: one is named as a header of C++ is.
mkdir "$work/include"
awk -F '\t' -v folder="$work/include" '!/^#/ {
	members = split($7, member, " ")
	class = $6 == "-" ? "0" : "NFCT_CP_" toupper($6)
	second = members > 1 ? member[2] : -1
	third = members > 2 ? member[3] : -1
	printf("{ %d, %d, %s, %s, { %d, %d, %d } }, /* %s */\n", $2, $4, toupper($5), class,
		member[1], second, third, $3) >(folder "/" $1 ".inc")
}' ../abi/attributes.tsv
# layout.c includes this.
awk -F '\t' '!/^#/ {
	if ($2 == "-") printf("WHOLE(%s, %d)\n", $1, $4)
	else printf("MEMBER(%s, %s, %d, %d)\n", $1, $2, $3, $4)
}' ../abi/records.tsv >"$work/include/records.inc"
cflags+=("-I$work/include")

[ -z "${SANITIZE-}" ] || cflags+=("-fsanitize=address,undefined" -fno-sanitize-recover=all)
launcher=(timeout 300 "${runner[@]}")
[ -z "${VALGRIND-}" ] || launcher+=(valgrind --quiet --leak-check=full --error-exitcode=9
	"--errors-for-leak-kinds=definite,indirect")

fail() {
	failed=$((failed + 1))
	echo "FAIL: $1"
}

# The installed headers are those that tests/abi.rs compiles in all languages.
check_headers() {
	if diff -r ../../include "$(pkg-config --variable=includedir ctrs)/ctrs"; then
		passed=$((passed + 1))
	else
		fail "the installed headers"
	fi
}

# Every exported function occurs in the tests of wrong arguments: null.c, nflog_null.c and so on.
check_null_is_complete() {
	local missing
	of_library null
	nm -D --defined-only "$libdir/libctrs.so" | awk '$2 == "T" { print $3 }' |
		sed 's/@.*//' | grep -E '^nf' | sort >"$work/exported"
	nm -u "$work"/*null | awk '{ print $2 }' | sed 's/@.*//' | sort -u >"$work/used"
	missing=$(comm -23 "$work/exported" "$work/used")
	if [ -s "$work/exported" ] && [ -z "$missing" ]; then
		passed=$((passed + 1))
	else
		fail "the tests of wrong arguments do not call: $missing"
	fi
}

# Every function of ctrs.h that takes a pointer is somewhere called with NULL for one.
check_null_of_extensions() {
	local header=../../include/ctrs.h name missing=
	for name in $(tr '\n' ' ' <$header | grep -oE 'ctrs_[a-z0-9_]+\([^)]*\*[^)]*\);' | sed 's/(.*//'); do
		grep -qE "\<$name\(.*\<NULL\>" ./*.c || missing+=" $name"
	done
	if [ -z "$missing" ]; then
		passed=$((passed + 1))
	else
		fail "no test calls with NULL:$missing"
	fi
}

run() {
	local source=$1 name=${1%.*} output status last extra=() compile=("${CC:-gcc}" "${cflags[@]}")
	[[ $source == *.c ]] || compile=("${CXX:-g++}" -std=c++17 "${cflags[@]:1}")
	of_library "$name"
	# What is started by a loader that is named does not look where LD_LIBRARY_PATH says.
	local link=("-Wl,--no-as-needed" ${RUNNER:+"-Wl,-rpath,$libdir"})
	read -ra extra <<<"$(sed -n 's|^/\* Built with \(-[^*]*\)\. \*/$|\1|p' "$source")"
	"${compile[@]}" "${include[@]}" "$source" -o "$work/$name" "${link[@]}" "${libs[@]}" "${extra[@]}" || {
		fail "$name does not compile"
		return
	}
	LD_LIBRARY_PATH=$libdir "${loader[@]}" "$work/$name" |
		grep -qE "^\s$library\.so\.[0-9]+ => $libdir/" || {
		fail "$name does not load $library from $libdir"
		return
	}
	output=$(LD_LIBRARY_PATH=$libdir "${launcher[@]}" "$work/$name" 2>&1)
	status=$?
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' <<<"$output" | tail -n 1)
	sed "s/^/$name: /" <<<"$output"
	if [ -z "$last" ]; then
		fail "$name ended with status $status before its last line"
		return
	fi
	read -r passed _ failed _ <<<"$last"
	[ "$status" = 0 ] || [ "$failed" != 0 ] || fail "$name ended with status $status"
}

# What a program counted, on a line of its own.
run_apart() {
	passed=0 failed=0
	run "$1" >"$work/$1.log" 2>&1
	echo "$passed $failed" >"$work/$1.count"
}

# run_all SOURCE...: some at a time, and what they say in order.
run_all() {
	local source good bad
	for source; do
		while [ "$(jobs -rp | wc -l)" -ge "${JOBS:-$(nproc)}" ]; do
			wait -n
		done
		run_apart "$source" &
	done
	wait
	for source; do
		cat "$work/$source.log"
		good=0 bad=1 # of one that was killed
		read -r good bad <"$work/$source.count"
		passed=$((passed + good))
		failed=$((failed + bad))
	done
}

sources=()
for name; do
	sources+=("$name".c*)
done
if [ $# = 0 ]; then
	[ -n "$REFERENCE${VALGRIND-}${SANITIZE-}" ] || check_headers
	sources=(*.c *.cpp)
fi
# Some take the place of the C library's allocator, as valgrind and the sanitizers do.
for at in "${!sources[@]}"; do
	[ -n "${VALGRIND-}${SANITIZE-}" ] && [[ ${sources[at]} == *memory.c ]] && unset "sources[at]"
done
run_all "${sources[@]}"
[ -n "$REFERENCE$*" ] || { check_null_is_complete; check_null_of_extensions; }
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
