#!/usr/bin/env bash
# tshark and we agree on the committed messages, and a spoilt one is noticed.
set -u
corpus=(fuzz/corpus/mikey_message fuzz/corpus/payload)
fuzz/differential --build "$IBAKELAB_BUILD" "${corpus[@]}" || exit 1
fuzz/differential --build "$IBAKELAB_BUILD" --spoil fuzz/corpus/mikey_message >/dev/null
[ $? = 1 ] || { echo 'spoilt messages are not noticed'; exit 1; }
