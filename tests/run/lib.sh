# What the whole-run tests share; sourced. Each test works in a folder of its own, which goes away with it.
set -u
ibakelab=${IBAKELAB_BUILD:?is not set: the build folder}/ibakelab
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
basic=$source_dir/scenarios/basic
faults=$source_dir/scenarios/faults
independent=$source_dir/tests/independent
python=/usr/bin/python3 # Debian's, which python3-cryptography belongs to
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2

die() { # MESSAGE…
  echo "FAILED: $*"
  exit 1
}

show_output() {
  sed 's/^/    /' output.txt | head -n 40
}

# Runs ibakelab; what it says, on both streams, is in output.txt. Dies unless its exit status is as expected.
expect_status() { # STATUS ARGUMENTS…
  local want=$1 got=0
  shift
  "$ibakelab" "$@" >output.txt 2>&1 || got=$?
  [ "$got" = "$want" ] && return
  show_output
  die "exit status $got instead of $want: ibakelab $*"
}

expect_text() { # TEXT that output.txt has to contain
  grep -qF -- "$1" output.txt && return
  show_output
  die "the output lacks: $1"
}

expect_line() { # REGEX that a line of output.txt has to match
  grep -qE -- "$1" output.txt && return
  show_output
  die "no line of the output matches: $1"
}

# Judges runs by the independent verifier. Dies unless its exit status is as expected.
verify() { # STATUS ARGUMENTS…: what it says is in output.txt
  local want=$1 got=0
  shift
  "$python" "$independent/verify_run.py" "$@" >output.txt 2>&1 || got=$?
  [ "$got" = "$want" ] && return
  show_output
  die "verify_run.py: exit status $got instead of $want: $*"
}

same() { # FILE FILE
  [ -s "$1" ] || die "$1 is empty or missing"
  cmp "$1" "$2" || die "$1 and $2 differ"
}

differ() { # FILE FILE
  cmp -s "$1" "$2" && die "$1 and $2 are the same"
  return 0
}
