#!/bin/bash
# valgrind.sh TEST...
#
# Runs regression tests on a private server under valgrind, and fails on any
# error that valgrind reports, whatever the tests made of it.  PG_CONFIG's
# server should be built with USE_VALGRIND and have its source's valgrind.supp
# beside its programs' directory; see lib/assert-server.sh.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

if [ -z "${PREFIX:-}" ]; then
	suppressions=$(dirname "$("$PG_CONFIG" --bindir)")/valgrind.supp
	export PRIVATE_RUN="valgrind --quiet --leak-check=no --num-callers=30 \
--log-file=PREFIX/valgrind.%p --suppressions=$suppressions"
	"$MAKE" --no-print-directory -s with_llvm=no all || exit
	exec test/private-cluster.sh "$0" "$@"
fi

# What takes a second there takes half a minute here.
status=0
PGCTLTIMEOUT=300 "$MAKE" --no-print-directory with_llvm=no installcheck \
	ISOLATION= TAP_TESTS= REGRESS="$*" || status=$?
[ "$status" -eq 0 ] || cat regression.diffs
# Backends that have just been left may still be at work.
sleep 2
errors=$(cat "$PREFIX"/valgrind.* | grep -E '^==[0-9]+== ')
if [ -n "$errors" ]; then
	echo "$errors"
	[ "$status" -ne 0 ] || status=1
fi
exit "$status"
