#!/usr/bin/env bash
# Twins: one attack, tried against UEs and a KMS as they are, and against the same that lack one defence
# (docs/defences.md). What the first expect is the opposite of what the second expect.
. "$(dirname "$0")/lib.sh"

# A world with Alice and Bob, and Mallory on Alice's access link; the rest is `more`.
base() { # MORE
  local users='users: [{name: alice}, {name: bob}]'
  grep -q '^users:' <<<"$1" && users=
  cat >base.yaml <<YAML
ibakelab: 1
title: As it is
domains:
  - name: home.example
    kms: {parameters: 1024, issue: current}
$users
calls:
  - {name: first, from: alice, to: bob, ring-time: 1 s, duration: 3 s}
$1
YAML
  expect_status 0 run base.yaml --quiet --out base
}

# The same without some defences of its users; with expectations of its own.
twin() { # ALICE-WITHOUT BOB-WITHOUT MORE
  cat >twin.yaml <<YAML
ibakelab: 1
extends: base.yaml
title: Its twin
users:
  - {name: alice, without: [$1]}
  - {name: bob, without: [$2]}
$3
YAML
  expect_status 0 run twin.yaml --quiet --out twin
}

# P-20: who breaks into Alice's UE after the call finds nothing to open it with; unless nothing was wiped.
base 'adversaries:
  - {name: mallory, at: [{link: alice}], holds: [{memory: alice, from: 8 s}]}
expect:
  call: {first: {completed: all}}
  security: {holds: [secrecy, wiping]}
  knowledge: {mallory: {does-not-learn: [session-key, media, x]}}'
twin wipe '' 'expect:
  call: {first: {completed: all}}
  security: {broken: [secrecy, wiping]}
  knowledge: {mallory: {learns: [session-key, media, x]}}'

# P-20: whoever keeps the seed of Alice's generator, and one private key of hers, has her keys: if she uses it.
base 'adversaries:
  - {name: lea, at: [{link: alice}], holds: [{generator: alice}, {private-key: alice}]}
expect:
  call: {first: {completed: all}}
  security: {holds: [secrecy]}
  knowledge: {lea: {learns: yP, does-not-learn: [session-key, media]}}'
twin fresh-scalars '' 'expect:
  call: {first: {completed: all}}
  security: {broken: [secrecy]}
  knowledge: {lea: {learns: [yP, x, session-key, media]}}'

# RFC 3830 §5.4: an old INVITE in a dialog of its own.
base 'adversaries:
  - name: mallory
    at: [{link: bob}]
    rules:
      - {on: I_MESSAGE_1, receiver: bob, nth: 1, do: record, as: invite}
      - {on: time, after: 40 s, do: replay, what: invite, to: bob, fresh: true}
expect:
  call: {first: {completed: all}}
  security: {holds: [freshness]}'
twin '' replay-cache 'expect:
  call: {first: {completed: all}}
  security: {broken: [freshness]}'

# The same after a restart, which loses the replay cache: for the time of the skew nothing is taken.
base 'adversaries:
  - name: mallory
    at: [{link: bob}]
    rules:
      - {on: I_MESSAGE_1, receiver: bob, nth: 1, do: record, as: invite}
      - {on: time, after: 40 s, do: replay, what: invite, to: bob, fresh: true}
users:
  - name: alice
  - {name: bob, restart: 20 s}
expect:
  call: {first: {completed: all}}
  security: {holds: [freshness]}'
twin '' restart-grace 'expect:
  call: {first: {completed: all}}
  security: {broken: [freshness]}'

# RFC 4567 §4.1.1: without a=key-mgmt there is no call; or one that everybody hears.
base 'adversaries:
  - name: mallory
    at: [{link: alice}]
    rules:
      - {on: INVITE, sender: alice, do: strip-key-mgmt}
expect:
  call: {first: {failed: all, sip-status: 488}}
  security: {holds: [secrecy]}
  knowledge: {mallory: {learns: nothing}}'
twin require-key-mgmt require-key-mgmt 'expect:
  call: {first: {completed: all, keys-agree: none, media-protected: none}}
  security: {broken: [secrecy]}
  knowledge: {mallory: {learns: media}}'
twin '' require-key-mgmt 'expect:
  call: {first: {completed: none, media-protected: none}}'

# P-13: R_MESSAGE_2 is held up; who does not wait for it talks all the same.
base 'adversaries:
  - name: mallory
    at: [{link: alice}]
    rules:
      - {on: R_MESSAGE_2, receiver: alice, do: drop}
expect:
  call: {first: {media-protected: none}}'
grep -q talks-early base/events.jsonl && die 'media before R_MESSAGE_2'
grep -q first-media base/events.jsonl && die 'media without R_MESSAGE_2'
twin media-after-verification '' 'expect:
  call: {first: {established: all, media-protected: all}}'
grep -q talks-early twin/events.jsonl || die 'no media before R_MESSAGE_2'
twin media-after-verification '' 'calls:
  - {name: first, carrier: reinvite} # Bob answers with media after the ACK of the re-INVITE, which does not come
expect:
  call: {first: {established: all}}'
grep -q talks-early twin/events.jsonl || die 'no media before R_MESSAGE_2 in a re-INVITE'
grep -q '"node":"bob","kind":"media","event":"first-media"' twin/events.jsonl || die 'Bob heard nothing'

# P-14 and the responder's own judgement: NULL encryption is offered in the place of AES-CM, and hidden.
base 'adversaries:
  - name: mallory
    at: [{link: alice}]
    rules:
      - {on: I_MESSAGE_1, sender: alice, do: modify, field: SP,
         value: "000100 010110 020101 030114 04010e 050100 070101 080101 0a0101 0b010a"}
      - {on: R_MESSAGE_1, receiver: alice, do: modify, field: SP,
         value: "000101 010110 020101 030114 04010e 050100 070101 080101 0a0101 0b010a"}
expect:
  call: {first: {failed: all, reason: refused}}
  security: {holds: [terms, secrecy]}
  knowledge: {mallory: {learns: nothing}}'
twin '' null-srtp 'expect:
  call: {first: {failed: all, reason: bidding-down}}
  security: {holds: [secrecy]}'
twin bidding-down null-srtp 'expect:
  call: {first: {completed: all, media-protected: none}}
  security: {broken: [secrecy]}
  knowledge: {mallory: {learns: media}}'

# ---- parameters by RFC 5408

wrong_parameters() { # KEYS-OF-THE-KMS FAILURE KEYS-OF-BOB DEFENCE
  cat >base.yaml <<YAML
ibakelab: 1
title: As it is
domains:
  - name: home.example
    kms: {parameters: 1024, issue: current, parameters-for-users: rfc5408$1}
users:
  - name: alice
  - {name: bob$3}
expect:
  user: {bob: {parameters-obtained: none, parameters-failure: $2, keys-failure: no-parameters}}
YAML
  expect_status 0 run base.yaml --quiet --out base
  twin '' "$4" 'expect:
  user: {bob: {parameters-obtained: at least 1}}'
}

for kind in self-signed untrusted-ca wrong-name; do
  failure=untrusted
  [ $kind = wrong-name ] && failure=wrong-name
  wrong_parameters ", certificate: $kind" $failure '' certificate-check
done
wrong_parameters ', certificate: expired' expired-certificate '' certificate-check
wrong_parameters ', parameters-validity: 30 d' expired ', clock-offset: 40 d' parameters-validity

# RFC 5091 §5.1.2: a KMS in whose parameters s = 1.
cat >base.yaml <<'YAML'
ibakelab: 1
title: As it is
domains:
  - name: home.example
    kms: {parameters: 1024, issue: current, parameters-for-users: rfc5408}
users:
  - name: alice
  - name: bob
adversaries:
  - {name: mallory, kms: {impersonates: home.example, degenerate: p-pub-is-p, certificate: trusted}}
expect:
  users: {parameters-obtained: none, parameters-failure: malformed}
YAML
expect_status 0 run base.yaml --quiet --out base
twin parameters-check parameters-check 'expect:
  users: {parameters-obtained: at least 1}'

# ---- keys

cat >base.yaml <<'YAML'
ibakelab: 1
title: As it is
domains:
  - name: home.example
    kms: {parameters: 1024, issue: current, wrong-keys: true}
users:
  - name: alice
  - name: bob
expect:
  users: {keys-obtained: none, keys-failure: bad-response}
YAML
expect_status 0 run base.yaml --quiet --out base
twin key-verification key-verification 'expect:
  users: {keys-obtained: all}'

for way in psk pke; do # by RFC 5408 keys are asked for one by one
  cat >base.yaml <<YAML
ibakelab: 1
title: As it is
domains:
  - name: home.example
    kms: {parameters: 1024, issue: current}
users:
  - {name: alice, key-request: $way, ask-also: "sip:bob@home.example"}
  - name: bob
expect:
  user: {alice: {keys-obtained: none}}
YAML
  expect_status 0 run base.yaml --quiet --out base
  cat >twin.yaml <<'YAML'
ibakelab: 1
extends: base.yaml
title: Its twin
domains:
  - name: home.example
    kms: {without: [kms-authorization]}
expect:
  user: {alice: {keys-obtained: all, private-keys: 2}}
YAML
  expect_status 0 run twin.yaml --quiet --out twin
done

# ---- docs/defences.md tells of every word that `without` takes, and of no other

sed -n 's/^| `without` | a list of words: \([^|]*\)|.*/\1/p' "$source_dir/docs/scenario-reference.md" |
  sed 's/ or /, /' | tr -d ' ' | tr ',' '\n' | sort -u >words.txt
grep -oE '^\| (`[a-z-]+`(, )?)+ \|' "$source_dir/docs/defences.md" | grep -oE '[a-z-]{2,}|\bv\b' | sort -u >told.txt
[ "$(wc -l <words.txt)" -gt 30 ] || die "$(wc -l <words.txt) defences alone"
same words.txt told.txt
