#!/bin/bash
# assert-server.sh [--cached]
#
# Prints the pg_config of a PostgreSQL with assertions, of the same major
# version as PG_CONFIG's, made from the distribution's source package.
#
# It is built once, some minutes long, and kept outside the tree, in
# REPLENISH_CACHE (XDG_CACHE_HOME/replenish, ~/.cache/replenish; as root
# /var/cache/replenish, for the server's user must be able to read it), under a
# name of the source's version and of how it was built.  The source is looked
# for with the machine's own package sources, in a configuration of its own:
# nothing of the machine's is changed.  ASSERT_PG_CONFIG names another build.
#
# Exit code 75 says that there is none: the source cannot be had, or with
# --cached it would have to be built.
set -euo pipefail

none() { echo "assert-server: $*" >&2; exit 75; }
if [ -n "${ASSERT_PG_CONFIG:-}" ]; then
	echo "$ASSERT_PG_CONFIG"
	exit
fi

major=$("${PG_CONFIG:-pg_config}" --version | grep -o '[0-9]*' | head -n 1)
if [ -n "${REPLENISH_CACHE:-}" ]; then
	cache=$REPLENISH_CACHE
elif [ "$(id -u)" -eq 0 ]; then
	cache=/var/cache/replenish
else
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/replenish
fi

# Only what the tests use.  USE_VALGRIND tells valgrind of memory contexts, and
# costs little where there is none.
options=(--enable-cassert --enable-debug --enable-tap-tests --disable-rpath
	--without-readline --without-zlib --without-icu --with-libxml
	--with-system-tzdata=/usr/share/zoneinfo
	"CFLAGS=-O1 -g -fno-omit-frame-pointer" CPPFLAGS=-DUSE_VALGRIND)
key=$(printf '%s\n' "${options[@]}" "$(uname -m)" | cksum | cut -d ' ' -f 1)

# The newest build of this kind; it is complete, for it was moved there whole.
built() {
	find "$cache" -maxdepth 4 -path "*/postgresql-$major.*-$key/bin/pg_config" \
		2>/dev/null | sort -V | tail -n 1 | grep .
}
built && exit
[ "${1:-}" != --cached ] || none "there is no build of PostgreSQL $major yet"
command -v apt-get >/dev/null || none "this machine has no apt-get"
"$(dirname "$0")/install-deps.sh" source ||
	none "what the build needs cannot be installed"

umask 022
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
built && exit
work=$(mktemp -d "$cache/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
log=$cache/build.log
say() { echo "assert-server: $*" >&2; }

# The machine's package sources, asked for sources.
mkdir -p "$work/parts" "$work/lists/partial" "$work/archives/partial"
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
	[ -f "$file" ] || continue
	case $file in
	*.sources) sed 's/^Types:.*/Types: deb-src/' "$file" ;;
	*.list) sed -n 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$file" ;;
	*) continue ;;
	esac >"$work/parts/$(basename "$file")"
done
apt=(-o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/parts"
	-o Dir::State::Lists="$work/lists" -o Dir::Cache="$work"
	-o Acquire::Retries=2 -o Acquire::http::Timeout=20
	-o Acquire::https::Timeout=20)
[ "$(id -u)" -ne 0 ] || apt+=(-o APT::Sandbox::User=root)
cd "$work"
# Some of the sources may be out of reach; what counts is whether one has it.
apt-get "${apt[@]}" update >"$log" 2>&1 || :
for version in $(apt-cache "${apt[@]}" showsrc "postgresql-$major" \
	2>>"$log" | sed -n 's/^Version: //p' | sort -rVu); do
	apt-get "${apt[@]}" -qq source "postgresql-$major=$version" \
		>>"$log" 2>&1 && break
	rm -rf "postgresql-$major"*
done
source=$(find . -maxdepth 1 -type d -name "postgresql-$major-*" | head -n 1)
[ -n "$source" ] || none "no package source has postgresql-$major (see $log)"

prefix=$cache/$(basename "$source" | sed "s/-$major-/-/")-$key
say "building $prefix, which takes some minutes"
{
	cd "$source"
	nice -n 10 ./configure --prefix="$prefix" "${options[@]}"
	# to PostgreSQL's own, a make that calls it is one of its own
	unset MAKELEVEL MAKEFLAGS MFLAGS
	nice -n 10 make -s -j "$(nproc)"
	nice -n 10 make -s install DESTDIR="$work/stage"
	cp src/tools/valgrind.supp "$work/stage$prefix"
} >>"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
mv "$work/stage$prefix" "$prefix"
echo "$prefix/bin/pg_config"
