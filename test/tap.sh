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
# shellcheck disable=SC2086 # a prefix of several words, or none
exec $AS_SERVER_USER env -u PGHOST -u PGUSER -u PGDATABASE \
	TESTDIR="$PREFIX/tap" TMPDIR="$PREFIX/tap" PGPORT=65432 \
	PATH="$PRIVATE_BINDIR:$PATH" \
	PG_REGRESS="$pgxs/test/regress/pg_regress" \
	prove --verbose --comments -I "$pgxs/test/perl" "$@"
