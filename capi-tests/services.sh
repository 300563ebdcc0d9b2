#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Runs ulogd and conntrackd as docs/services.md has systemd run them, on ctrs and back: the commands of Debian's units, with
# the files of the page, in namespaces of their own. There the installation is /usr/local, as the page says.
#
#   CTRS_STAGE    prefix of an installation of ctrs with the drop-in libraries (required)
set -u
PATH=$PATH:/usr/sbin:/sbin # where ordinary users do not look
: "${CTRS_STAGE:?is the prefix ctrs was installed under}"
module=ctrs
root=$(cd "$(dirname "$0")/.." && pwd)

if [ "${1-}" != --inside ]; then
	"$root/capi-tests/deps.sh" check || exit
	user=()
	[ "$(id -u)" = 0 ] || user=(unshare --user --map-root-user)
	CTRS_ROOT=$(id -u) exec "${user[@]}" unshare --net --mount "$0" --inside
fi

. "$root/capi-tests/checks.bash"
units=/lib/systemd/system

# The blocks of the page, in their order: what is in the files beside the units.
awk -v to="$work/block" '/^```ini$/ { n++; inside = 1; next } /^```$/ { inside = 0 } inside { print > (to n) }' \
	"$root/docs/services.md"
check "the page has four files" test -e "$work/block4" -a ! -e "$work/block5"

mount --bind "$CTRS_STAGE" /usr/local
for folder in /run /var/log /var/lib; do
	mount -t tmpfs none "$folder"
done
mkdir -p /run/ulog /var/log/ulog /run/lock
if [ "$CTRS_ROOT" = 0 ]; then
	chown ulog /run/ulog /var/log/ulog
else
	echo "SKIP: ulogd as a service: it reads its configuration as root, and becomes another user"
fi
ip link set lo up

# command_of FILE UNIT: what systemd runs: the last ExecStart of both, with the Environment of the file.
command_of() {
	local environment
	environment=$(sed -n 's/^Environment=//p' "$1")
	echo "${environment:+env $environment} $(cat "$units/$2.service" "$1" | sed -n 's/^ExecStart=//p' | tail -n 1)"
}

# start COMMAND: the daemon, and $pid of it.
start() {
	local program=$1
	rm -f /run/ulog/ulogd.pid
	# shellcheck disable=SC2086 # a list of words
	setsid $program >"$work/daemon" 2>&1 &
	pid=$!
	case $program in
	*ulogd*)
		wait "$pid" || return
		for _ in {1..1000}; do
			pid=$(cat /run/ulog/ulogd.pid 2>"$work/log") && [ -n "$pid" ] && return
			sleep 0.02
		done
		return 1
		;;
	esac
}

# uses PATTERN: the daemon has a library mapped, and all of ctrs's names are from where the pattern says.
uses() {
	for _ in {1..1000}; do
		libraries=$(grep -Eo '/[^ ]*libnetfilter_(conntrack|log|cttimeout|cthelper)[^ ]*' "/proc/$pid/maps" | sort -u)
		# Once it is at work, not while it starts.
		[ -n "$libraries" ] && grep -q "^ *[0-9a-f]* 12 " <(cut -c 17- /proc/net/netlink) && break
		kill -0 "$pid" || return
		sleep 0.02
	done
	echo "$libraries"
	[ -n "$libraries" ] && ! grep -Ev "^$1" <<<"$libraries"
}

stop() {
	kill -TERM "$pid"
	for _ in {1..1000}; do
		kill -0 "$pid" 2>"$work/log" && ! grep -q '^State:.Z' "/proc/$pid/status" || return 0
		sleep 0.02
	done
	cat "$work/daemon"
	return 1
}

# try FILE UNIT PATTERN: the unit with the file beside it.
try() {
	local what
	[ "$CTRS_ROOT" = 0 ] || [ "$2" != ulogd2 ] || return
	what=$(command_of "$1" "$2")
	check "$2 starts: $what" start "$what"
	check "$2 uses what it is to use" uses "$3"
	check "$2 ends" stop
}

for number in 1 3; do
	try "$work/block$number" ulogd2 /usr/local/lib/ctrs/compat/
	try "$work/block$((number + 1))" conntrackd /usr/local/lib/ctrs/compat/
done
# A path where nothing is, which the loader passes over without a word.
sed 's|/usr/local/lib/ctrs|/usr/local/lib/none|' "$work/block1" >"$work/elsewhere"
try "$work/elsewhere" ulogd2 '(/usr)?/lib/'
for unit in ulogd2 conntrackd; do
	try /dev/null "$unit" '(/usr)?/lib/'
done

# verify FILE UNIT: systemd understands both, and finds what they name.
verify() {
	local folder=$work/units
	rm -rf "$folder"
	mkdir -p "$folder/$2.service.d"
	cp "$units/$2.service" "$folder"
	cp "$1" "$folder/$2.service.d/override.conf"
	SYSTEMD_UNIT_PATH=$folder: systemd-analyze verify "$folder/$2.service" >"$work/verified" 2>&1 &&
		! grep override.conf "$work/verified"
}

if command -v systemd-analyze >"$work/log"; then
	for number in 1 3; do
		check "systemd reads file $number" verify "$work/block$number" ulogd2
		check "systemd reads file $((number + 1))" verify "$work/block$((number + 1))" conntrackd
	done
	sed 's/^Environment/Enviroment/' "$work/block1" >"$work/wrong"
	check "systemd reads what is beside a unit" test "$(verify "$work/wrong" ulogd2 >"$work/log"; echo $?)" = 1
else
	echo "not run here, for there is no systemd-analyze: systemd reads the files"
fi
finish
