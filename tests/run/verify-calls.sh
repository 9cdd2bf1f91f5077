#!/usr/bin/env bash
# The exchanges of calls between domains, forked, diverted and taken back are right in the eyes of
# tests/independent/verify_run.py: each dialog by itself, those to stand-ins with [x]P again and an ESK for the one called.
. "$(dirname "$0")/lib.sh"
calls=$source_dir/scenarios/calls

verified() { # EXCHANGES SCENARIO OPTIONS…: how many are complete
  local exchanges=$1 name=$2
  shift 2
  expect_status 0 run "$calls/$name.yaml" --keylog --quiet --out "$name"
  /usr/bin/python3 "$source_dir/tests/independent/verify_run.py" "$@" "$name" >output.txt 2>&1 || {
    show_output
    die "verify_run.py finds $name wrong"
  }
  expect_text "$exchanges complete exchanges, "
}

verified 2 two-domains --lossless
verified 3 fork-parallel --lossless
verified 1 fork-asked --lossless
verified 0 fork-refused --allow-none
verified 1 divert-notify --lossless
verified 1 divert-redirect --lossless
verified 2 divert-no-answer --lossless
verified 0 divert-refused --allow-none
verified 14 cancel-states
