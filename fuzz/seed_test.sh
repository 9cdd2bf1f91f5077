#!/usr/bin/env bash
# The same version makes the same seeds, for every target but one, and a build that is not there is refused.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for run in 1 2; do
  fuzz/seed --build "$IBAKELAB_BUILD" --out "$work/$run" >/dev/null || exit 1
done
diff -r "$work/1" "$work/2" || { echo 'two runs made different seeds'; exit 1; }
diff <(ls "$work/1") <(cd fuzz/targets && basename -s .c -- *.c | grep -v '^publication$') || { echo 'a target has no seeds'; exit 1; }
fuzz/seed --build "$work" --out "$work/1" 2>/dev/null
[ $? = 3 ] || { echo 'a build that is not there is not noticed'; exit 1; }
