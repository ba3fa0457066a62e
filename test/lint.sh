#!/bin/bash
# lint.sh
#
# Looks at the sources without running them: two compilers' warnings, clang's
# analyzer, cppcheck and shellcheck.  Prints what they say and counts checks.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

include=$("${PG_CONFIG:-pg_config}" --includedir-server)
version=$(echo PG_VERSION_NUM |
	gcc -E -P -include "$include/pg_config.h" - | tail -n 1)
# Not PostgreSQL's headers but these sources are to be judged.
flags=(-std=gnu99 -O2 -Isrc -isystem "$include" -D_GNU_SOURCE
	-Wall -Wextra -Werror -Wno-unused-parameter -Wmissing-prototypes
	-Wpointer-arith
	-Wdeclaration-after-statement -Wvla -Wformat-security -Wshadow
	-Wstrict-prototypes -fno-strict-aliasing -fwrapv)
passed=0
failed=0
check() {
	local what=$1 said
	shift
	if said=$("$@" 2>&1) && [ -z "$said" ]; then
		passed=$((passed + 1))
	else
		echo "$what:"
		echo "${said:-exit code not 0}"
		failed=$((failed + 1))
	fi
}

for file in src/*.c test/unit/*.c; do
	[ -f "$file" ] || continue
	check "gcc $file" gcc "${flags[@]}" -c -o /dev/null "$file"
	check "clang $file" clang "${flags[@]}" -fsyntax-only "$file"
	check "analyzer $file" clang --analyze "${flags[@]}" -Wno-everything \
		-Xclang -analyzer-output=text -o /dev/null "$file"
	# It does not see PostgreSQL's headers, and newer ones mention it when a
	# function has many branches.
	check "cppcheck $file" cppcheck --quiet --std=c99 -Isrc --inline-suppr \
		-DPG_VERSION_NUM="$version" "-D__has_attribute(name)=1" \
		"-DPG_MODULE_MAGIC_EXT(...)=" \
		--enable=warning,performance,portability --error-exitcode=1 \
		--suppress=missingInclude --suppress=normalCheckLevelMaxBranches \
		"$file"
done
for file in test/*.sh test/lib/*.sh test/fuzz/*.sh .ci/run; do
	check "shellcheck $file" shellcheck "$file"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
