#!/usr/bin/env bash
# ibakelab attack: the real stack holds; a stack that lacks a defence is found out, and the file that is kept shows it.
. "$(dirname "$0")/lib.sh"
call=$basic/first-call-80.yaml

expect_status 0 attack "$call" --rounds 20 --out kept
expect_text '20 rounds with'
expect_text 'nothing was broken'
[ "$(ls kept)" = result.json ] || die "there is nothing to keep but the result"
grep -q '"found": null' kept/result.json || die "the result tells of something"

# What broke it is kept, and breaks it again; with the defence on it does not.
found() { # SEED PROPERTY SET… : what is switched off
  local seed=$1 property=$2 sets=() set file
  shift 2
  for set; do sets+=(--set "$set"); done
  rm -rf kept
  expect_status 1 attack "$call" --rounds 15 --seed "$seed" --out kept "${sets[@]}"
  expect_text "breaks $property"
  file=$(ls kept/*-"$property"-*[0-9].yaml) || die "no file was kept"
  expect_text "$file"
  expect_status 0 run "$file" --out out "${sets[@]}" --quiet
  expect_status 1 run "$file" --out out --quiet
}

found 8 terms 'users.alice.without=[bidding-down]' 'users.bob.without=[bidding-down]'
found 3 secrecy 'users.alice.without=[require-key-mgmt]' 'users.bob.without=[require-key-mgmt]'
found 1 wiping 'users.alice.without=[wipe]'
found 6 agreement 'users.bob.without=[echo]'

# The same seed finds the same, however many run at once; another seed is another adversary.
off=(--set 'users.alice.without=[require-key-mgmt]' --set 'users.bob.without=[require-key-mgmt]' --out kept --rounds 6)
"$ibakelab" attack "$call" "${off[@]}" --seed 3 --jobs 1 >one.txt
"$ibakelab" attack "$call" "${off[@]}" --seed 3 --jobs 3 >three.txt
cmp one.txt three.txt || die "the number of jobs changes what is found"
"$ibakelab" attack "$call" "${off[@]}" --seed 7 >other.txt
cmp -s one.txt other.txt && die "the seed changes nothing"

expect_status 2 attack
expect_status 2 attack "$call" --rounds 0
expect_status 2 attack "$call" --rounds many
expect_status 2 attack "$call" "$call"
expect_status 2 attack nowhere.yaml
expect_status 2 attack "$call" --set 'users.alice.without=[everything]'
expect_status 0 attack --help
expect_text '--rounds N'
