#!/usr/bin/env bash
# clang-tidy 14 with .clang-tidy over every C file of the product; needs the release build's compile_commands.json.
set -u
build=${IBAKELAB_BUILD:?the build folder}
cd "${IBAKELAB_SOURCE:-$(dirname "$0")/../..}" || exit 2
[ -f "$build/compile_commands.json" ] || { echo "no compile_commands.json in $build"; exit 1; }
mapfile -t files < <(find protocol sim reports cli -name '*.c' ! -name '*_test.c' ! -name samples.c ! -name testing.c)
[ ${#files[@]} -gt 0 ] || { echo 'no source file found'; exit 1; }
output=$(printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy -p "$build" --quiet 2>/dev/null)
status=$?
printf '%s\n' "$output" | grep -E '(warning|error): ' | sort -u
exit "$status"
