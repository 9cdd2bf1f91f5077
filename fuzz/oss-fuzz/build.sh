#!/bin/bash -eu
# Builds the targets that need libibake and jansson alone, as OSS-Fuzz wants it: with $CC, $CFLAGS and
# $LIB_FUZZING_ENGINE, into $OUT, each with its corpus and dictionary. SIP, HTTP, XML and YAML need libraries and
# stay outside. Tried without the container: fuzz/oss-fuzz/try.sh.
cd "${SRC:?}/ibakelab"
work=${WORK:?}/ibakelab
mkdir -p "$work"
include=(-Iprotocol -Iprotocol/include -Ifuzz -I.)

# libibake, without its tests and laboratories
mapfile -t sources < <(find protocol -name '*.c' ! -name '*_test.c' ! -name '*lab.c' ! -name samples.c ! -name measure.c \
  ! -name '*_check.c' ! -name openssl_files.c)
objects=()
compile() { # SOURCE [OPTION…]
  local object=$work/${1//\//_}.o
  # shellcheck disable=SC2086
  $CC $CFLAGS -std=gnu17 -D_GNU_SOURCE "${include[@]}" "${@:2}" -c "$1" -o "$object"
  objects+=("$object")
}
for source in "${sources[@]}" fuzz/octets/*.c fuzz/support/fuzz.c; do
  compile "$source"
done
rm -f "$work/libfuzz.a"
ar rcs "$work/libfuzz.a" "${objects[@]}"

for target in mikey_chain payload ibe_ciphertext keymgmt_sdp; do
  objects=()
  compile "fuzz/targets/$target.c"
  # shellcheck disable=SC2086
  $CXX $CXXFLAGS "${objects[@]}" "$work/libfuzz.a" $LIB_FUZZING_ENGINE -lcrypto -o "$OUT/$target"
  (cd "fuzz/corpus/$target" && zip -q -r "$OUT/${target}_seed_corpus.zip" .)
  [ ! -f "fuzz/dict/$target.dict" ] || cp "fuzz/dict/$target.dict" "$OUT/"
done
