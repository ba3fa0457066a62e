#!/bin/bash
# private-cluster.sh COMMAND [ARG...]
#
# Runs COMMAND against a throw-away PostgreSQL server that has replenish
# installed, and leaves nothing behind.
#
# The server's programs find their own files relative to where they stand.  So
# a copy of them under a temporary directory is a complete server, the
# extension goes into that copy (DESTDIR), and neither an installed cluster nor
# an installed extension is touched.  The server listens on a socket in the
# same directory only.  Everything is removed when COMMAND ends or is stopped.
#
# COMMAND sees PGHOST, PGPORT, PGUSER and PGDATABASE, and
#   PREFIX           the temporary directory
#   PRIVATE_BINDIR   the copied server's programs
#   AS_SERVER_USER   a command prefix that becomes the server's user; empty
#                    when that is the caller
# PRIVATE_CONF may hold further lines for postgresql.conf, PRIVATE_RUN a command
# prefix for the server, like "valgrind --quiet".  With PRIVATE_CRASHES=1,
# COMMAND may kill the server's processes with signal 9.
set -euo pipefail

[ $# -gt 0 ] || { echo "usage: ${0##*/} COMMAND [ARG...]" >&2; exit 2; }
top=$(cd "$(dirname "$0")/.." && pwd)
PG_CONFIG=${PG_CONFIG:-pg_config}
: "${MAKE:=make}"

# A socket's path must stay below 108 bytes.
tmp=${TMPDIR:-/tmp}
[ ${#tmp} -le 60 ] || tmp=/tmp
PREFIX=$(mktemp -d "$tmp/replenish.XXXXXX")
AS_SERVER_USER=
child=

# shellcheck disable=SC2317,SC2329 # called by the trap
cleanup() {
	status=$?
	trap '' INT TERM HUP
	[ -z "$child" ] || kill -TERM "$child" 2>/dev/null || :
	cd /
	if [ -f "$PREFIX/data/postmaster.pid" ]; then
		$AS_SERVER_USER "$PRIVATE_BINDIR/pg_ctl" stop -s -m immediate -t 10 \
			-D "$PREFIX/data" || :
	fi
	rm -rf "$PREFIX"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# A server refuses to run as root.
if [ "$(id -u)" -eq 0 ]; then
	user=nobody
	! id postgres >/dev/null 2>&1 || user=postgres
	chown "$user" "$PREFIX"
	AS_SERVER_USER="runuser -u $user --"
fi

bindir=$("$PG_CONFIG" --bindir)
pkglibdir=$("$PG_CONFIG" --pkglibdir)
sharedir=$("$PG_CONFIG" --sharedir)
PRIVATE_BINDIR=$PREFIX$bindir
mkdir -p "$PRIVATE_BINDIR" "$PREFIX$pkglibdir" "$PREFIX$sharedir"
cp -L "$bindir"/* "$PRIVATE_BINDIR"
tar -C "$pkglibdir" -ch --exclude=./pgxs --exclude=./bitcode . |
	tar -C "$PREFIX$pkglibdir" -x
tar -C "$sharedir" -ch --exclude=./man . | tar -C "$PREFIX$sharedir" -x

"$MAKE" -s -C "$top" install DESTDIR="$PREFIX" PG_CONFIG="$PG_CONFIG" \
	with_llvm=no >"$PREFIX/install.log" 2>&1 ||
	{ cat "$PREFIX/install.log" >&2; exit 1; }

export PGHOST=$PREFIX PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
export PREFIX PRIVATE_BINDIR AS_SERVER_USER PG_CONFIG MAKE
unset PGSERVICE PGSERVICEFILE PGPASSFILE PGOPTIONS PGSSLMODE PGTZ

# The server's user may not be able to stand where the caller does.
cwd=$PWD
cd "$PREFIX"
$AS_SERVER_USER "$PRIVATE_BINDIR/initdb" -D "$PREFIX/data" -U postgres \
	-A trust -E UTF8 --locale=C --no-sync >"$PREFIX/initdb.log" ||
	{ cat "$PREFIX/initdb.log" >&2; exit 1; }
cat >>"$PREFIX/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$PREFIX'
fsync = off
jit = off
timezone = 'UTC'
lc_messages = 'C'
max_prepared_transactions = 20
${PRIVATE_CONF:-}
CONF
if [ -n "${PRIVATE_RUN:-}" ]; then
	mv "$PRIVATE_BINDIR/postgres" "$PRIVATE_BINDIR/postgres.bin"
	# shellcheck disable=SC2016 # for the server's shell
	printf '#!/bin/sh\nexec %s "${0%%/*}/postgres.bin" "$@"\n' \
		"${PRIVATE_RUN//PREFIX/$PREFIX}" >"$PRIVATE_BINDIR/postgres"
	chmod 755 "$PRIVATE_BINDIR/postgres"
fi
$AS_SERVER_USER "$PRIVATE_BINDIR/pg_ctl" start -s -w -D "$PREFIX/data" \
	-l "$PREFIX/server.log" || { cat "$PREFIX/server.log" >&2; exit 1; }
cd "$cwd"

# In the background, so that a signal to this script is not kept waiting; but
# with the terminal's input.
status=0
"$@" <&0 &
child=$!
wait "$child" || status=$?
child=

# A crash of the server is a failure whatever COMMAND made of it.
crash='was terminated by signal'
if [ -n "${PRIVATE_CRASHES:-}" ]; then
	crash="$crash ([1-8]|[1-9][0-9])\b"
	# A backend that outlives a killed postmaster leaves in the middle of its
	# commit where that waits for the checkpointer to take note of the files of
	# dropped tables (RegisterSyncRequest), and says so, with replenish or
	# without; where a postmaster lives it is signal 6 besides.
	sed -i '/PANIC:  cannot abort transaction [0-9]*, it was already committed/d' \
		"$PREFIX/server.log"
fi
if grep -E "PANIC:|TRAP:|$crash|: runtime error:|Sanitizer" \
	"$PREFIX/server.log" >&2
then
	tail -n 30 "$PREFIX/server.log" >&2
	[ "$status" -ne 0 ] || status=1
fi
exit "$status"
