#!/bin/bash
# install-deps.sh build|python|accuracy|forecast|perl|source|valgrind|fuzz|lint...
#
# Makes sure that what the named jobs need is on this machine, and installs
# with apt-get what is missing.  Where all is there, nothing is downloaded and
# no rights are needed.
set -euo pipefail

PG_CONFIG=${PG_CONFIG:-pg_config}
PYTHON=${PYTHON:-/usr/bin/python3}

say() { echo "install-deps: $*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }
# What apt-get has to say matters only when it fails.
apt() {
	local said
	said=$($sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
		--no-install-recommends -o Dpkg::Use-Pty=0 "$@" 2>&1) ||
		{ echo "$said" >&2; return 1; }
}
# The version of an installed package; fails when there is none.
installed() {
	dpkg-query -W -f '${db:Status-Abbrev} ${Version}\n' "$1" 2>/dev/null |
		sed -n 's/^ii *//p' | grep .
}

# The headers must be there, and of the server's own minor version.  PGXS alone
# says nothing about headers: Debian's client package brings its makefiles.
server_ok() {
	[ -f "$("$PG_CONFIG" --pgxs 2>/dev/null)" ] || return 1
	[ -f "$("$PG_CONFIG" --includedir-server)/postgres.h" ] || return 1
	bindir=$("$PG_CONFIG" --bindir)
	[ -x "$bindir/postgres" ] && [ -x "$bindir/initdb" ] &&
		[ "$("$bindir/postgres" -V | grep -o '[0-9][0-9.a-z]*' | head -n 1)" = \
			"$("$PG_CONFIG" --version | grep -o '[0-9][0-9.a-z]*' | head -n 1)" ]
}

missing=()
server=no
need() { missing+=("$@"); }
have make || need make
for job in "$@"; do
	case $job in
	build)
		have gcc || need gcc libc6-dev
		server_ok || server=yes
		;;
	python)
		"$PYTHON" -c 'import psycopg2' 2>/dev/null ||
			need python3 python3-psycopg2
		;;
	accuracy)
		"$PYTHON" -c 'import numba' 2>/dev/null || need python3-numba
		"$PYTHON" -c 'import pandas' 2>/dev/null || need python3-pandas
		;;
	forecast)
		Rscript -e 'library(forecast)' >/dev/null 2>&1 ||
			need r-base-core r-cran-forecast
		;;
	perl)
		have prove || need perl
		perl -MIPC::Run -e1 2>/dev/null || need libipc-run-perl
		;;
	source)
		have dpkg-source || need dpkg-dev
		have pkg-config || need pkg-config
		pkg-config --exists libxml-2.0 2>/dev/null || need libxml2-dev
		[ -f /usr/include/valgrind/memcheck.h ] || need valgrind
		;;
	valgrind)
		have valgrind || need valgrind libc6-dbg
		;;
	fuzz)
		have clang || need clang
		echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
			clang -w -fsanitize=fuzzer,address,undefined -x c -o /dev/null - \
				2>/dev/null || need libclang-rt-dev
		have llvm-cov || need llvm
		;;
	lint)
		have clang || need clang
		have cppcheck || need cppcheck
		have shellcheck || need shellcheck
		;;
	*)
		say "unknown job \"$job\""
		exit 2
		;;
	esac
done
[ "${#missing[@]}" -gt 0 ] || [ "$server" = yes ] || exit 0

if ! have apt-get; then
	[ "$server" = no ] || need "PostgreSQL 15 or later with its headers"
	say "this machine has no apt-get; please install: ${missing[*]}"
	exit 1
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
	have sudo || { say "run this as root, or install sudo"; exit 1; }
	sudo=sudo
fi
say "installing what is missing, which takes a minute or two"
apt update

if [ "$server" = yes ]; then
	# Debian's pg_config without server headers names libpq's major version.
	if [ -x "$("$PG_CONFIG" --bindir 2>/dev/null)/postgres" ]; then
		major=$("$PG_CONFIG" --version | grep -o '[0-9]*' | head -n 1)
	else
		major=$(apt-cache depends postgresql |
			sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p' | head -n 1)
	fi
	if [ "${major:-0}" -lt 15 ]; then
		say "PostgreSQL 15 or later is needed; found \"${major:-none}\""
		exit 1
	fi
	if old=$(installed "postgresql-$major"); then
		# Headers of another minor version would bring that server along,
		# and restart what runs.
		new=$(apt-cache policy "postgresql-server-dev-$major" |
			sed -n 's/^ *Candidate: //p')
		if [ "$old" != "$new" ] && pgrep -x postgres >/dev/null; then
			say "PostgreSQL $old is running, and its headers are available" \
				"for $new only; upgrade it, then try again"
			exit 1
		fi
		apt install "postgresql-$major" "postgresql-server-dev-$major"
	else
		# Only a server to copy from is wanted: no cluster, nothing started.
		apt install postgresql-common
		conf=/etc/postgresql-common/createcluster.conf
		$sudo cp -p "$conf" "$conf.replenish"
		restore() { $sudo mv "$conf.replenish" "$conf"; }
		trap restore EXIT
		echo "create_main_cluster = false" | $sudo tee -a "$conf" >/dev/null
		apt install "postgresql-$major" "postgresql-server-dev-$major"
	fi
fi
[ "${#missing[@]}" -eq 0 ] || apt install "${missing[@]}"
