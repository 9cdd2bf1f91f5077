#!/usr/bin/env bash
# Each defence by itself: the scenario that shows it passes, and fails when the defence is switched off (exit
# status 1). defences.txt has a row, or the reason for which there is none, for every defence that a scenario can
# switch off; which ones these are the loader itself tells.
. "$(dirname "$0")/lib.sh"
rows=$source_dir/tests/run/defences.txt

words_of() { # SECTION of the scenario reference: its defences, one a line
  awk -v section="$1" '/^[^ ]/ {inside = $0 == section} /^  [^ ]/ {key = $1} /^$/ {key = ""}
    inside && key == "without"' output.txt | tr -s ' \n' ' ' |
    sed 's/.*a list of words: //; s/,\? or /, /; s/ *$//; s/, /\n/g; s/$/\n/' | grep -x '[a-z-]*'
}

expect_status 0 show --reference
words_of 'users[]' >users.txt
words_of 'domains[].kms' >kms.txt
[ "$(wc -l <users.txt)" -gt 20 ] && [ "$(wc -l <kms.txt)" -gt 5 ] || die "the reference names hardly any defences"

# A UE's and a KMS's check of T are two defences with one word.
sed 's/^/user /' users.txt >wanted.txt
sed 's/^/kms /' kms.txt >>wanted.txt

try() { # DEFENCE SCENARIO OPTIONS…
  local defence=$1 file=$source_dir/scenarios/$2
  shift 2
  echo "$file" >>files.txt
  expect_status 1 run "$file" --quiet --out out "$@"
  [[ "$*" == *without=*"$defence"* ]] || die "the row of $defence switches something else off: $*"
}

while read -r whose defence rest; do
  case "$whose" in
  '' | '#'*) continue ;;
  none)
    echo "$defence ${rest%% because *}" >>shown.txt # none WHOSE DEFENCE because …
    [[ $rest == *' because '?* ]] || die "no reason is given for 'none $defence $rest'"
    continue
    ;;
  user | kms) ;;
  *) die "not a row: $whose $defence $rest" ;;
  esac
  grep -qx "$whose $defence" wanted.txt || die "no scenario can switch '$whose $defence' off"
  read -ra words <<<"$rest"
  try "$defence" "${words[@]}"
  echo "$whose $defence" >>shown.txt
done <"$rows"

sort -u files.txt | tr '\n' '\0' >files
xargs -0 "$ibakelab" run --jobs 2 --quiet --out out <files >output.txt 2>&1 || { show_output && die "with all defences"; }

sort -u wanted.txt >wanted
sort -u shown.txt >shown
missing=$(comm -23 wanted shown)
[ -z "$missing" ] || die "defences without a row in defences.txt: ${missing//$'\n'/, }"
unknown=$(comm -13 wanted shown)
[ -z "$unknown" ] || die "defences.txt speaks of what there is not: ${unknown//$'\n'/, }"
