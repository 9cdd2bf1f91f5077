# What the commands of this folder share. Sourced, from the root of the project.

fuzz_targets() {
  local file
  for file in fuzz/targets/*.c; do
    basename "$file" .c
  done
}

fuzz_is_target() { # mikey_message_broken, seq_call_broken: broken on purpose
  [ -f "fuzz/targets/$1.c" ] || [ "$1" = mikey_message_broken ] || [ "$1" = seq_call_broken ]
}

# The folder of a kind of build.
fuzz_folder() {
  case $1 in
    libfuzzer) echo build-fuzz ;;
    libfuzzer-plain) echo build-fuzz-plain ;;
    coverage) echo build-fuzz-coverage ;;
    afl | afl-plain | afl-cmplog) echo "build-$1" ;;
  esac
}

fuzz_configure() { # KIND
  local folder options=()
  folder=$(fuzz_folder "$1")
  case $1 in
    libfuzzer) ;;
    libfuzzer-plain) options=(-DIBAKELAB_SANITIZE=OFF) ;;
    coverage) options=(-DIBAKELAB_SANITIZE=OFF -DIBAKELAB_COVERAGE=ON -DCMAKE_BUILD_TYPE=Debug) ;;
    afl*) options=(-DIBAKELAB_SANITIZE=OFF -DIBAKELAB_AFL=ON -DCMAKE_C_COMPILER=afl-clang-fast -DCCACHE=OFF) ;;
  esac
  cmake --preset fuzz -B "$folder" "${options[@]}"
}

fuzz_build() { # KIND TARGET…: builds programs; on failure the end of what the build said, and status 3
  local kind=$1 log status env=()
  shift
  case $kind in # chosen when compiling; ccache, which does not see them, is off
    afl) env=(AFL_USE_ASAN=1 AFL_USE_UBSAN=1 AFL_LLVM_LAF_ALL=1) ;;
    afl-cmplog) env=(AFL_LLVM_CMPLOG=1) ;;
  esac
  log=$(mktemp)
  { fuzz_configure "$kind" && env AFL_QUIET=1 "${env[@]}" cmake --build "$(fuzz_folder "$kind")" -j "$(nproc)" \
      --target "${@/#/fuzz_}"; } >"$log" 2>&1
  status=$?
  [ "$status" = 0 ] || tail -n 60 "$log" >&2
  rm -f "$log"
  [ "$status" = 0 ] || return 3
}

# Which mutator knows a target's inputs; nothing: none.
fuzz_mutator() {
  sed -nE "s/^ *fuzz_target\(($1|seq_\\$\{name\}).* MUTATE ([A-Z]+)\)/\1 \2/p" fuzz/CMakeLists.txt |
    while read -r name kind; do
      [ "$name" != "$1" ] && [[ $1 != seq_* ]] || { echo "${kind,,}"; break; }
    done
}

fuzz_corpus() { # TARGET: its committed inputs
  echo "fuzz/corpus/${1%_broken}"
}
