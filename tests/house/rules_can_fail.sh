#!/usr/bin/env bash
# Proves that rules.sh notices: each planted violation, in a copy of the tree, must be refused.
set -u
here=$(cd "$(dirname "$0")" && pwd)
source_tree=${IBAKELAB_SOURCE:-$here/../..}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
for room in protocol sim cli reports fuzz conformance tests; do
  [ -d "$source_tree/$room" ] && cp -r "$source_tree/$room" "$copy/"
done
"$here/rules.sh" "$copy" >/dev/null || { echo 'the unchanged copy is refused'; exit 1; }

missed=0
plant() { # FILE LINE
  local file=$copy/$1
  printf '%s\n' "$2" >"$file"
  if "$here/rules.sh" "$copy" >/dev/null; then
    echo "not noticed: $2 in $1"
    missed=1
  fi
  rm -f "$file"
}
plant protocol/ibe/planted.c '#include <sys/socket.h>'
plant protocol/mikey/planted.c '#include "ibe/curve.h"'
plant protocol/wire/planted.c '#include <ibake/mikey.h>'
plant protocol/ibe/planted.c '#include "wire/reader.h"'
plant protocol/base/planted.c '#include "sim/trace/trace.h"'
plant sim/ims/planted.c '#include <ns3/core-module.h>'
plant sim/ims/planted.c '#include "mikey/payload.h"'
plant sim/ims/planted.cc 'int x;'
plant sim/ims/planted.c '#include "adversary/tap.h"'
plant sim/adversary/planted.c '#include "run/world.h"'
plant sim/scenario/planted.c '#include "ns3shim/n3.h"'
plant sim/run/planted.c '#include "sweep/sweep.h"'
plant cli/planted.c '#include <mpi.h>'
plant conformance/iut/planted.c '#include "sim/trace/trace.h"'
plant conformance/peer/planted.c '#include <ibake/mikey.h>'
plant conformance/peer/planted.c '#include <ibake.h>'
plant reports/planted.c '#include "cli/cli.h"'
plant sim/planted.c "$(yes '/* line */' | head -801)"
exit "$missed"
