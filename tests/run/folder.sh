#!/usr/bin/env bash
# Every scenario of a folder passes. Argument: the folder.
. "$(dirname "$0")/lib.sh"
set -- "$1"/*.yaml
[ -e "$1" ] || die "no scenarios in ${1%/*}"
expect_status 0 run "$@" --jobs 2 --quiet --out out
passed=$(grep -c ': pass$' output.txt)
[ "$passed" = $# ] || die "$passed of $# scenarios passed"
