#!/bin/bash
# run-tests.sh [STAGE...]
#
# "make test": runs every stage, or those named, to its end even when one
# fails, and prints as its last line how many tests passed and failed.  A stage
# says its own count ("N passed, N failed"), or its tests are counted from what
# pg_regress, pg_isolation_regress or prove print; a stage without any count is
# one test.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

stages=("$@")
[ $# -gt 0 ] || stages=(warnings-build lint unit unit-math check-regress
	check-isolation check-tap check-reference check-readme check-demo check-composite check-property
	check-crash check-endure valgrind-short fuzz-short ubsan-short assert-short)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Print "passed failed skipped" for the log of a stage that ended with status.
count() {
	awk -v status="$1" '
		/^[0-9]+ passed, [0-9]+ failed/ {
			said = 1; ok += $1; bad += $3
			if ($6 == "skipped") skip += $5
			next
		}
		/^skipped:/ { skip++; next }
		# pg_regress 15, and everything that speaks TAP
		/^(test| +|parallel group).* \.\.\. ok / { tap_ok++ }
		/^(test| +).* \.\.\. FAILED/ { tap_bad++ }
		/^ok [0-9]+.*# SKIP/ { skip++; next }
		/^ok [0-9]+/ { tap_ok++ }
		/^not ok [0-9]+.*# [T]ODO/ { skip++; next }
		/^not ok [0-9]+/ { tap_bad++ }
		END {
			if (!said) { ok = tap_ok; bad = tap_bad }
			if (status != 0 && bad == 0) bad = 1
			if (status == 0 && ok + bad + skip == 0) ok = 1
			print ok + 0, bad + 0, skip + 0
		}' "$2"
}

passed=0
failed=0
skipped=0
for stage in "${stages[@]}"; do
	echo "=== $stage"
	start=$SECONDS
	status=0
	"${MAKE:-make}" --no-print-directory "$stage" 2>&1 |
		tee "$work/log" || status=$?
	read -r ok bad skip < <(count "$status" "$work/log")
	passed=$((passed + ok))
	failed=$((failed + bad))
	skipped=$((skipped + skip))
	printf '%-18s%5d passed%5d failed%5d skipped%5d s\n' "$stage" "$ok" \
		"$bad" "$skip" $((SECONDS - start)) | tee -a "$work/summary"
	# Warnings stop nothing else; without any build there is nothing to test.
	if [ "$stage" = warnings-build ] && [ "$status" -ne 0 ]; then
		"${MAKE:-make}" --no-print-directory -s with_llvm=no all || break
	fi
done

echo "=== summary"
cat "$work/summary"
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
