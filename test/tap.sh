#!/bin/bash
# tap.sh FILE...
#
# Runs TAP tests on a private server's programs; called through
# private-cluster.sh.  The tests start servers of their own, which root may
# not, so they run as the server's user, from a copy that user can read.  What
# a failing test leaves for inspection goes when this ends.
set -euo pipefail

pgxs=$("$PG_CONFIG" --pgxs)
pgxs=${pgxs%/makefiles/pgxs.mk}
mkdir "$PREFIX/tap"
cp -R "$(dirname "$0")" "$PREFIX/tap/test"
[ -z "$AS_SERVER_USER" ] ||
	chown -R "$($AS_SERVER_USER id -u)" "$PREFIX/tap"
cd "$PREFIX/tap"
status=0
# shellcheck disable=SC2086 # a prefix of several words, or none
$AS_SERVER_USER env -u PGHOST -u PGUSER -u PGDATABASE \
	TESTDIR="$PREFIX/tap" TESTDATADIR="$PREFIX/tap/tmp_check" \
	TESTLOGDIR="$PREFIX/tap/tmp_check/log" \
	TMPDIR="$PREFIX/tap" PGPORT=65432 \
	PATH="$PRIVATE_BINDIR:$PATH" \
	PG_REGRESS="$pgxs/test/regress/pg_regress" \
	prove --verbose --comments -I "$pgxs/test/perl" "$@" || status=$?

[ "$status" -eq 0 ] || tail -n 40 tmp_check/log/regress_log_* >&2

# Tests that kill servers do not notice one more that goes down.
if grep -rE 'TRAP:|: runtime error:|Sanitizer' tmp_check/log >&2; then
	[ "$status" -ne 0 ] || status=1
fi
exit "$status"
