#!/usr/bin/env bash
# Every source file is as clang-format 14 with .clang-format writes it.
set -u
cd "${IBAKELAB_SOURCE:-$(dirname "$0")/../..}" || exit 2
mapfile -t files < <(find protocol sim cli reports fuzz conformance tests -name '*.[ch]' -o -name '*.cc')
[ ${#files[@]} -gt 0 ] || { echo 'no source file found'; exit 1; }
clang-format --dry-run --Werror "${files[@]}"
