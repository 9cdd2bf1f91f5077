#!/usr/bin/env bash
# Several files in one go: a folder for each, output in the order of the files, the same octets as one by one.
. "$(dirname "$0")/lib.sh"
files=("$basic/first-call-80.yaml" "$faults/wrong-psk.yaml" "$basic/ipv6.yaml" "$faults/unknown-kms.yaml")
expect_status 0 run "${files[@]}" --out together --jobs 2 --quiet
grep -o '[a-z0-9-]*\.yaml: pass' output.txt >order.txt
for file in "${files[@]}"; do
  name=$(basename "$file" .yaml)
  echo "$name.yaml: pass" >>expected.txt
  expect_status 0 run "$file" --out "alone/$name" --quiet
done
same expected.txt order.txt
diff -rq together alone || die "a run beside others differs from a run alone"

# One that fails makes the whole fail, wherever it stands.
sed 's/established: all/established: none/' "$basic/first-call-80.yaml" >broken.yaml
expect_status 1 run broken.yaml "$faults/wrong-psk.yaml" --out mixed --jobs 2 --quiet
expect_text 'broken.yaml: fail'
expect_text 'wrong-psk.yaml: pass'
expect_status 1 run "$faults/wrong-psk.yaml" broken.yaml --out mixed --quiet
