#!/usr/bin/env bash
# Who may know whom (docs/architecture.md), checked by a search over includes and by nm over libibake.
# usage: rules.sh [TREE]   the tree to judge; libibake.a is looked for in $IBAKELAB_BUILD
set -u
tree=${1:-${IBAKELAB_SOURCE:-$(dirname "$0")/../..}}
cd "$tree" || exit 2
broken=0
complain() { # RULE LINES
  [ -n "$2" ] || return 0
  printf 'broken rule: %s\n%s\n' "$1" "$2"
  broken=1
}
includes() { # REGEX-OF-INCLUDED PLACES...: the include lines under the places
  local pattern=$1
  shift
  grep -rnE --include='*.[ch]' --include='*.cc' "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($pattern)" "$@" 2>/dev/null
}

[ -d protocol ] && [ -d sim ] || { echo "no tree to judge at $tree"; exit 2; }

# C++ lives in the shim and nowhere else.
complain 'only sim/ns3shim/*.cc may be C++' \
  "$(find . -path ./.git -prune -o -path './build*' -prune -o \( -name '*.cc' -o -name '*.cpp' -o -name '*.cxx' -o -name '*.hpp' \) -print | grep -v '^./sim/ns3shim/')"
complain 'only sim/ns3shim/*.cc may include ns-3' "$(includes 'ns3/' . | grep -vE '^(\./)?sim/ns3shim/[^/]*\.(cc|h):')"
complain 'the C header of the shim may not include ns-3' "$(includes 'ns3/|iostream|string>|memory>|vector>' sim/ns3shim/n3.h)"

# protocol/ is sans-IO and knows nobody above it.
complain 'protocol/ may not see sockets, files, clocks or global randomness' \
  "$(includes 'sys/(socket|time|stat|select|random)\.h|netinet/|arpa/|poll\.h|unistd\.h|fcntl\.h|time\.h|openssl/rand\.h|openssl/ssl\.h' protocol | grep -vE '_test\.c:|/testing/')"
complain 'protocol/ may not include other rooms' "$(includes '(\.\./)*(sim|cli|reports|fuzz|conformance|ims|kms/node|ns3shim|scenario|trace|run)/' protocol | grep -vE '#include "kms/')"
complain 'the rest of the house includes only ibake.h of protocol/' \
  "$(includes '(\.\./)*(protocol/)?(base|wire|ibe|mikey)/|ibake/(table|internal|step)' sim cli reports fuzz conformance)"

# Inside protocol/: base <- wire <- mikey, base <- ibe, mikey and ibe <- ibake and kms.
complain 'wire/ knows base only' "$(includes 'ibe/|mikey/|ibake/(ibe|mikey|session|kms)|kms/' protocol/wire)"
complain 'ibe/ knows base only' "$(includes 'wire/|mikey/|ibake/(mikey|session|kms)|kms/' protocol/ibe)"
complain 'mikey/ knows base and wire only' "$(includes 'ibe/|ibake/(ibe|session|kms)|kms/' protocol/mikey)"
complain 'nothing below but what fuzzes its readers knows cli/' \
  "$(includes '(\.\./)*cli/' protocol sim reports fuzz conformance | grep -v '^fuzz/targets/')"
complain 'conformance/ knows no sim/ and no fuzz/' \
  "$(includes '(\.\./)*(sim|fuzz|ims|n3shim|ns3shim|scenario|trace|run|adversary|attack)/' conformance)"
# The peer that plays the tester is a second implementation: of libibake it has octets and the arithmetic of IBE.
complain 'conformance/peer knows ibake/base.h and ibake/ibe.h only' \
  "$(includes '(\.\./)*(protocol/|iut/|requirements/|ibake\.h|ibake/)' conformance/peer | grep -vE '<ibake/(base|ibe)\.h>|_test\.c:')"
complain 'only sim/run knows the adversaries' \
  "$(includes '(\.\./)*(sim/)?adversary/' protocol sim cli reports fuzz conformance | grep -vE '^sim/(adversary|run)/')"
complain 'sim/adversary knows neither the run nor who shows it' \
  "$(includes '(\.\./)*(run|reports|cli)/' sim/adversary | grep -vE '_test\.c:')"
complain 'only cli/ and what fuzzes its files know sim/sweep' \
  "$(includes '(\.\./)*(sim/)?sweep/' protocol sim reports fuzz conformance | grep -vE '^(sim/sweep/|fuzz/targets/)')"
complain 'only cli/sweep_mpi.c speaks MPI' "$(includes 'mpi\.h' . | grep -vE '^(\./)?(cli/sweep_mpi\.c|build)')"
complain 'sim/scenario, sim/trace and reports know no ns-3 shim' "$(includes 'ns3shim/' sim/scenario sim/trace reports)"

# libibake: no forbidden calls, no writable globals.
library=${IBAKELAB_BUILD:-}/protocol/libibake.a
if [ -f "$library" ]; then
  complain 'libibake may not call these' \
    "$(nm -A --undefined-only "$library" 2>/dev/null | grep -E ' U (socket|connect|fopen|open|read|write|time|clock_gettime|gettimeofday|rand|random|getrandom|RAND_bytes|RAND_priv_bytes|printf|puts|getenv)$' | head -5)"
  if ! nm -A "$library" 2>/dev/null | grep -q '__asan_'; then
    complain 'libibake may not hold writable globals' \
      "$(objdump -t "$library" | grep -E '^[0-9a-f]+ .{7} (\.data|\.bss|\*COM\*|\.tbss|\.tdata)[[:space:]]+0*[1-9a-f]' | head -5)"
  fi
elif [ $# -eq 0 ]; then
  echo "libibake.a is missing at $library"
  broken=1
fi

peer=${IBAKELAB_BUILD:-}/conformance/peer/libpeer.a
if [ -f "$peer" ]; then
  complain 'conformance/peer may call nothing of libibake above the arithmetic of IBE' \
    "$(nm -A --undefined-only "$peer" 2>/dev/null | grep -E ' U ibk_' | grep -vE ' U ibk_(ibe|buf|span|err)_|ibk_(wipe|fail)$' | head -5)"
fi

# Short files: a file over 800 lines wants a second door.
complain 'no source file over 800 lines' \
  "$(find protocol sim cli reports fuzz conformance tests \( -name '*.[ch]' -o -name '*.cc' -o -name '*.py' \) -print0 | xargs -0 wc -l | awk '$1 > 800 && $2 != "total"')"

[ "$broken" = 0 ] && echo 'the dependency rules hold'
exit "$broken"
