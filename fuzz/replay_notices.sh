#!/usr/bin/env bash
# Proves that replaying a corpus can fail: the broken twin stops at its marker, and nothing to replay is a failure.
# usage: replay_notices.sh BROKEN-TWIN CORPUS
set -u
twin=$1 corpus=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
missed=0
complain() {
  echo "$1"
  missed=1
}

"$twin" "$corpus" >/dev/null || complain 'the twin refuses the corpus without the marker'

# The first message of the corpus with the CSB ID, octets 4 to 7, on which the twin breaks.
seed=$(find "$corpus" -type f | sort | head -1)
mkdir "$work/marked" "$work/empty"
{ head -c 4 "$seed"; printf '\xb2\x0c\xeb\xad'; tail -c +9 "$seed"; } >"$work/marked/input"
"$twin" "$work/marked" >"$work/log" 2>&1
status=$?
[ "$status" = 134 ] || complain "the twin ends with status $status at the marker, not by abort"
grep -q "^$work/marked/input\$" "$work/log" || complain 'the input that broke is not named'
grep -q 'the same octets' "$work/log" || complain "the broken claim is not named"

for nothing in "$work/empty" "$work/missing"; do
  "$twin" "$nothing" >/dev/null 2>&1 && complain "nothing to replay in ${nothing##*/}, and that passes"
done
"$twin" >/dev/null 2>&1 && complain 'no argument at all passes'
"$twin" "$corpus" "$work/empty" >/dev/null 2>&1 && complain 'an empty folder beside a full one passes'
exit "$missed"
