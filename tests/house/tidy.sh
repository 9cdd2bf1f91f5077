#!/usr/bin/env bash
# clang-tidy 14 with .clang-tidy over the C files of the product; needs the release build's compile_commands.json.
# The analyser (clang-analyzer-*) takes most of the time: without --all it looks at the rooms of libibake that take apart
# what strangers send; with --all (scripts/analyse) at everything.
set -u
build=${IBAKELAB_BUILD:?the build folder}
cd "${IBAKELAB_SOURCE:-$(dirname "$0")/../..}" || exit 2
[ -f "$build/compile_commands.json" ] || { echo "no compile_commands.json in $build"; exit 1; }

files() { find "$@" -name '*.c' ! -name '*_test.c' ! -name samples.c ! -name testing.c; }
tidy() { # OPTIONS… of clang-tidy; files on standard input
  xargs -P "$(nproc)" -n 4 clang-tidy -p "$build" --quiet "$@" 2>/dev/null
}

deep=(protocol/wire protocol/mikey protocol/kms)
shallow=(protocol/base protocol/ibe protocol/ibake sim reports conformance cli)
[ "${1-}" != --all ] || { deep+=("${shallow[@]}"); shallow=(); }
[ "$(files "${deep[@]}" | wc -l)" -gt 50 ] || { echo 'hardly any source file found'; exit 1; }
output=$(files "${deep[@]}" | tidy)
status=$?
if [ ${#shallow[@]} -gt 0 ]; then
  output+=$'\n'$(files "${shallow[@]}" | tidy '--checks=-clang-analyzer-*') || status=1
fi
printf '%s\n' "$output" | grep -E '(warning|error): ' | sort -u
exit "$status"
