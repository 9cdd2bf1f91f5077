#!/usr/bin/env bash
# No branch and no address may depend on a secret: memcheck tells, with the secrets marked as undefined.
# usage: constant_time_test.sh CONSTANT_TIME_CHECK DIR-OF-PARAMETER-SETS
set -u
program=$1
sets=$2
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
for n in 1024 2048; do
  run "$sets/ibe-$n.params.der" || { echo "n = $n: a secret decides a branch or an address"; exit 1; }
done
if run "$sets/ibe-1024.params.der" leak 2>/dev/null; then
  echo 'a deliberate leak passed: the check proves nothing'
  exit 1
fi
echo 'constant time'
