#!/usr/bin/env bash
# No branch and no address may depend on a secret: memcheck tells, with the secrets marked as undefined.
# usage: constant_time_test.sh PROGRAM ARGUMENT...   one run for each argument; then "PROGRAM ARGUMENT leak" has to fail
set -u
program=$1
shift
[ $# -gt 0 ] || { echo 'nothing to run'; exit 1; }
command -v valgrind >/dev/null || { echo 'valgrind is missing'; exit 1; }
if nm "$program" 2>/dev/null | grep -q __asan_init; then
  echo 'built with ASan, which valgrind cannot run: nothing to check in this build'
  exit 0
fi
# Without debug information, which valgrind cannot read from every compiler.
bare=$(mktemp)
trap 'rm -f "$bare"' EXIT
objcopy --strip-debug "$program" "$bare" && chmod +x "$bare" || exit 1
run() { valgrind --quiet --error-exitcode=9 "$bare" "$@"; }
for argument in "$@"; do
  run "$argument" || { echo "$argument: a secret decides a branch or an address"; exit 1; }
done
run "$1" leak 2>/dev/null
[ $? -eq 9 ] || { echo 'a deliberate leak passed: the check proves nothing'; exit 1; }
echo 'constant time'
