#!/usr/bin/env bash
# docs/attacks.md names every attack, and nothing that is not one; a page that leaves one out does not pass.
. "$(dirname "$0")/lib.sh"
check() { python3 "$source_dir/tests/run/attacks_page.py" "$1" "$source_dir/scenarios/attacks"; }

check "$source_dir/docs/attacks.md" || die "docs/attacks.md and scenarios/attacks/ differ"
grep -v '^| `replay-fresh-dialog`' "$source_dir/docs/attacks.md" >short.md
check short.md >output.txt && die "a missing row is not noticed"
expect_text 'not in the page: replay-fresh-dialog'
sed 's/`-without-restart-grace`/`-without-anything`/' "$source_dir/docs/attacks.md" >wrong.md
check wrong.md >output.txt && die "a twin that does not exist is not noticed"
expect_text 'replay-after-restart-without-anything'
exit 0
