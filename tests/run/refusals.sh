#!/usr/bin/env bash
# What is wrong with a file or an option is told with its place; exit status 2, and nothing is written.
. "$(dirname "$0")/lib.sh"
call=$basic/first-call-80.yaml

refused() { # TEXT ARGUMENTS…
  local text=$1
  shift
  expect_status 2 "$@"
  expect_text "$text"
  [ -z "$(find . -name result.json)" ] || die "a refused run wrote something: ibakelab $*"
}

edited() { # SED-COMMAND: bad.yaml is first-call-80.yaml with this edit
  sed "$1" "$call" >bad.yaml
  cmp -s "$call" bad.yaml && die "the edit changes nothing: $1"
}

# Files: every command refuses them alike.
for command in run check show; do
  edited 's/parameters: 1024/paramters: 1024/'
  refused 'bad.yaml:9:7: ' $command bad.yaml
  expect_text "unknown key 'paramters'"
  expect_text "did you mean 'parameters'?"
  edited 's/    to: bob/    to: bop/'
  refused 'bad.yaml:18:9: ' $command bad.yaml
  expect_text "did you mean 'bob'?"
  edited 's/parameters: 1024/parameters: 1025/'
  refused 'bad.yaml:9:19: ' $command bad.yaml
  edited 's/from: alice/from: alice\n    from: bob/'
  refused 'bad.yaml:18:5: ' $command bad.yaml
  edited 's/at most 2 s/at most 2/'
  refused 'bad.yaml:32:19: ' $command bad.yaml
  printf 'ibakelab: 1\ntitle: [unfinished\n' >bad.yaml
  refused 'bad.yaml:3:1: ' $command bad.yaml
  : >bad.yaml
  refused 'bad.yaml' $command bad.yaml
  head -c 2000 /dev/zero >bad.yaml
  refused 'bad.yaml' $command bad.yaml
  refused 'nowhere.yaml' $command nowhere.yaml
  refused "$work" $command "$work" # a folder
done

# --set
refused "did you mean 'access'?" run "$call" --set 'links.acces.loss=5 %'
refused 'has no unit' run "$call" --set links.access.loss=5
refused 'path=value' run "$call" --set nonsense
refused '--set' run "$call" --set users.carol.register=false
refused '--set' run "$call" --set users.alice.psk=xyz
refused '--set' run "$call" --set calls.first.curve=P-257
refused '--set' run "$call" --set =1

# Options
refused 'unrecognized option' run "$call" --bogus
refused 'a number' run "$call" --seed -1
refused 'a number' run "$call" --seed 1x
refused 'a number' run "$call" --jobs 0
refused 'requires an argument' run "$call" --out
refused 'a scenario file is missing' run
refused 'a scenario file is missing' check
refused "unknown command 'rnu'" rnu "$call"
refused 'a command is missing'
refused 'one scenario file' show "$call" "$call"

# One bad file among several: the others are played, the status is the worst one.
edited 's/title:/titel:/'
expect_status 2 run "$faults/wrong-psk.yaml" bad.yaml --out several --jobs 2 --quiet
expect_text "did you mean 'title'?"
expect_text 'wrong-psk.yaml: pass'
rm -rf several

# A place where nothing can be written.
: >file
refused 'file/out' run "$call" --out file/out --quiet
refused '/proc/out' run "$call" --out /proc/out --quiet
