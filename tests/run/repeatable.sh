#!/usr/bin/env bash
# The same seed gives the same octets in every file; another seed gives other keys.
# Arguments: the scenario's file, then options for `ibakelab run`.
. "$(dirname "$0")/lib.sh"
file=$1
shift
expect_status 0 run "$file" --out first --seed 42 --keylog --quiet "$@"
expect_status 0 run "$file" --out second --seed 42 --keylog --quiet "$@"
diff -rq first second || die "two runs of seed 42 differ"
"$ibakelab" run "$file" --out other --seed 43 --keylog --quiet "$@" >output.txt 2>&1 # may miss a bound: chance
for name in keys.log capture/all.pcap; do
  differ first/$name other/$name
done
for kind in X Y KSESSION MPK TGK AUTHKEY TEK SALT; do
  grep "^$kind " first/keys.log | awk '{print $NF}' | sort >first.$kind
  grep "^$kind " other/keys.log | awk '{print $NF}' | sort >other.$kind
  [ -s first.$kind ] || die "the key log has no $kind"
  [ -z "$(comm -12 first.$kind other.$kind)" ] || die "two seeds share a value of $kind"
done
# Neither the progress on the terminal nor the key log changes what happens.
expect_status 0 run "$file" --out plain --seed 42 "$@"
[ ! -e plain/keys.log ] || die "keys.log was written without --keylog"
rm -f first/keys.log first/tls-keys.log
diff -rq first plain || die "the run without --keylog and --quiet differs"
