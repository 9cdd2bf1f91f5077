#!/usr/bin/env bash
# `ibakelab run`: what an earlier run left in the folder is gone; a folder that cannot be had is told in plain words.
# Argument: the scenario to play.
set -u
ibakelab=${IBAKELAB_BUILD:?is not set: the build folder}/ibakelab
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die() {
  echo "FAILED: $*"
  exit 1
}

mkdir -p "$work/out/capture"
touch "$work/out/keys.log" "$work/out/capture/mallory-core.old.example.pcap" "$work/out/capture/notes.txt"
"$ibakelab" run "$1" --out "$work/out" --quiet || die "the run"
[ -e "$work/out/keys.log" ] && die "an old key log beside the new capture"
[ -e "$work/out/capture/mallory-core.old.example.pcap" ] && die "an old capture among the new ones"
[ -e "$work/out/capture/notes.txt" ] || die "a file that is none of ours was removed"

"$ibakelab" run "$1" --out "$work/out/result.json" --quiet 2>"$work/said" && die "a file served as folder"
grep -q 'output folder: .*Not a directory; --out names another' "$work/said" || die "said: $(cat "$work/said")"
grep -q 'policy' "$work/said" && die "a policy is blamed for a folder: $(cat "$work/said")"
for command in run check show decode; do # every complaint names the program and the command
  "$ibakelab" "$command" --no-such-option 2>"$work/said" && die "$command takes any option"
  grep -v "^ibakelab $command: \|^'ibakelab $command --help' tells more" "$work/said" && die "of $command"
done
"$ibakelab" kms init --no-such-option 2>"$work/said" && die "kms init takes any option"
grep -q '^ibakelab kms init: ' "$work/said" || die "said: $(cat "$work/said")"
"$ibakelab" check --help | grep -q -- '--seed N' || die "the help of check does not name --seed"

cp "$1" "$work/$(basename "$1")"
"$ibakelab" run "$1" "$work/$(basename "$1")" --out "$work/two" --jobs 2 2>"$work/said"
[ $? = 2 ] || die "two runs shared a folder"
grep -q 'would both be written' "$work/said" || die "said: $(cat "$work/said")"
