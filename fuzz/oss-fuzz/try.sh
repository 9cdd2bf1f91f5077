#!/usr/bin/env bash
# Runs build.sh as OSS-Fuzz would, with the clang of this machine in the container's place, and each program for a second.
# Exit status: 0 all were built and run; otherwise the step's.
set -euo pipefail
cd "$(dirname "$0")/../.."
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir "$place/src" "$place/out" "$place/work"
ln -s "$PWD" "$place/src/ibakelab"
export SRC=$place/src OUT=$place/out WORK=$place/work CC=clang CXX=clang++ LIB_FUZZING_ENGINE=-fsanitize=fuzzer
export CFLAGS='-O1 -g -fsanitize=address,fuzzer-no-link' CXXFLAGS='-O1 -g -fsanitize=address,fuzzer-no-link'
bash fuzz/oss-fuzz/build.sh
for program in "$OUT"/*; do
  [[ $program == *.zip || $program == *.dict ]] || "$program" -max_total_time=1 -verbosity=0 >/dev/null 2>&1
  echo "built $(basename "$program")"
done
