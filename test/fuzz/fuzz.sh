#!/bin/bash
# fuzz.sh RUNS
#
# Replays the seeds of each fuzz target, then so many inputs that it makes up
# from them.  What is found stays in tmp_check/fuzz, the seeds as they are.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2

failed=0
passed=0
for target in packed text reader lead_time; do
	scratch=tmp_check/fuzz/$target
	mkdir -p "$scratch"
	options=(-runs="$1" -max_len=4096 -artifact_prefix="$scratch-"
		-print_final_stats=1)
	[ ! -f "test/fuzz/$target.dict" ] ||
		options+=(-dict="test/fuzz/$target.dict")
	if test/fuzz/"${target}_fuzz" "${options[@]}" "$scratch" \
		"test/fuzz/corpus/$target" >"$scratch.log" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		tail -n 40 "$scratch.log"
	fi
	printf '%-9s%10d inputs, %s seeds%s\n' "$target" \
		"$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch.log")" \
		"$(find "test/fuzz/corpus/$target" -type f | wc -l)" \
		"$(sed -n 's/^#[0-9]*\tDONE *cov: \([0-9]*\).*/, \1 edges/p' "$scratch.log")"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
