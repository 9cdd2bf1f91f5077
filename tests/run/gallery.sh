#!/usr/bin/env bash
# docs/gallery is what scripts/gallery draws. Arguments: the names of the pictures to draw again and compare; none: all.
set -u
cd "${IBAKELAB_SOURCE:-$(dirname "$0")/../..}" || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die() {
  echo "FAILED: $*"
  exit 1
}

scripts/gallery --out "$work/out" "$@" || die "scripts/gallery"
for file in "$work"/out/*; do
  cmp "$file" "docs/gallery/$(basename "$file")" || die "$(basename "$file") has changed: scripts/gallery draws it again"
done
pictures=$(ls "$work/out" | grep -c '\.svg$')
[ "$pictures" -ge $# ] && [ "$pictures" -ge 1 ] || die "$pictures pictures of $#"

# The page shows every picture that there is, and no other.
diff <(grep -o '([^)]*\.svg)' docs/gallery/README.md | tr -d '()' | sort) <(cd docs/gallery && ls -- *.svg | sort) ||
  die "README.md of the gallery shows other pictures than there are"

scripts/gallery --out "$work/none" no-such-picture 2>"$work/said" && die "drew what there is not"
grep -q "no picture 'no-such-picture'" "$work/said" || die "said: $(cat "$work/said")"
IBAKELAB_BUILD=$work scripts/gallery --out "$work/none" 2>"$work/said" && die "drew without a program"
grep -q "build it first" "$work/said" || die "said: $(cat "$work/said")"
exit 0
