#!/bin/bash
# in-copy.sh COMMAND [ARG...]
#
# Runs COMMAND in a copy of the sources, as they are, without what was built.
# So a build with other options, or for another server, leaves the tree's own
# build alone.  ../shared is found there too.  Everything goes when it ends.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
copy=$(mktemp -d "${TMPDIR:-/tmp}/replenish-copy.XXXXXX")
child=
# shellcheck disable=SC2317,SC2329 # called by the trap
cleanup() {
	status=$?
	trap '' INT TERM HUP
	[ -z "$child" ] || kill -TERM "$child" 2>/dev/null || :
	rm -rf "$copy"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

chmod 755 "$copy"
mkdir "$copy/replenish"
[ ! -d "$top/../shared" ] || ln -s "$(cd "$top/../shared" && pwd)" "$copy/shared"
tar -C "$top" --exclude=./.git --exclude='*.o' --exclude='*.so' \
	--exclude='*.bc' --exclude=./tmp_check --exclude=./results \
	--exclude=./output_iso -c . | tar -C "$copy/replenish" -x
cd "$copy/replenish"
# What make would take for new.
rm -f sql/replenish--1.1.sql sql/replenish--1.0--1.1.sql
status=0
"$@" <&0 &
child=$!
wait "$child" || status=$?
child=
exit "$status"
