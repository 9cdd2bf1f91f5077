// Results of the kinds that no short run makes, with made-up figures of the right shape, and runs of any number of calls.
// The same seed gives the same figures.

const VERSIONS = { ibakelab: '0.1.0' };

function randomOf(seed) {
  let state = seed >>> 0;
  return () => { // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const normal = (random) => Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());

function head(kind, title, subject, checks = [], measures = []) {
  const bad = checks.some((c) => c.outcome === 'fail' || c.outcome === 'error');
  return { schema: 'ibakelab-result/1', kind, title, subject, verdict: bad ? 'fail' : 'pass', error: null, versions: VERSIONS, checks, measures };
}

const check = (id, text, outcome, more = {}) => ({ id, text, outcome, detail: null, file: null, line: null, requirement: null, section: null, level: null, ...more });

export function sweep() {
  const random = randomOf(7);
  const sizes = ['1024', '2048', '3072'];
  const losses = ['0 %', '1 %', '2 %', '5 %', '10 %'];
  const points = [];
  const summary = [];
  for (const size of sizes) for (const loss of losses) {
    const values = [];
    for (let seed = 1; seed <= 8; seed++) {
      const mean = 0.35 + Number(size) / 9000 + parseFloat(loss) * 0.08;
      const setup = mean + Math.abs(normal(random)) * (0.02 + parseFloat(loss) * 0.02) + (random() < 0.02 ? 1.5 : 0);
      const lost = random() < parseFloat(loss) / 120;
      values.push(setup);
      points.push({ index: points.length, parameters: { parameters: size, loss }, seed: String(seed), verdict: lost ? 'fail' : 'pass',
        measures: { 'setup-time': lost ? null : setup, established: lost ? 0 : 1 }, dir: `points/${points.length}` });
    }
    const mean = values.reduce((s, v) => s + v, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / (values.length - 1));
    const spread = (m, h, low, high) => ({ n: values.length, mean: m, half_width: h, min: low, max: high });
    summary.push({ parameters: { parameters: size, loss }, measures: { 'setup-time': spread(mean, (2.365 * deviation) / Math.sqrt(8), Math.min(...values), Math.max(...values)),
      established: spread(1 - parseFloat(loss) / 120, 0.02, 0, 1) } });
  }
  const checks = points.map((p) => check(`point/${p.index}`, `${p.parameters.parameters} bits, loss ${p.parameters.loss}, seed ${p.seed}`, p.verdict));
  return { ...head('sweep', 'Loss against set-up time', 'scenarios/sweeps/loss.yaml', checks, [{ name: 'points', value: points.length, unit: 'count' }]),
    scenario: 'scenarios/basic/lossy-link.yaml', seeds: ['1', '2', '3', '4', '5', '6', '7', '8'], points_planned: points.length,
    parameters: [{ name: 'parameters', path: 'domains.0.kms.parameters', values: sizes }, { name: 'loss', path: 'links.access.loss', values: losses }],
    units: { 'setup-time': 's', established: '' }, points, summary };
}

export function attack(found = true) {
  const broken = found ? [check('agreement', 'security property: agreement', 'fail', { detail: 'alice and bob hold different keys for call first' })]
    : [check('agreement', 'security property: agreement', 'pass')];
  return { ...head('attack', 'A random adversary against a first call', 'scenarios/basic/first-call.yaml', [...broken, check('secrecy', 'security property: secrecy', 'pass'), check('crash', 'no run ended by a fault', 'pass')],
    [{ name: 'rounds', value: 29, unit: 'count' }]),
    seed: '1', adversary: 'mallory', set: ['users.0.without=[echo]'], rounds_planned: 200, rounds: found ? 29 : 200, rules: 71,
    found: found ? { round: 29, property: 'agreement', broken: ['agreement'], detail: 'alice and bob hold different keys for call first', rules_before: 4, tries: 11,
      rules: [{ on: 'I_MESSAGE_1', do: 're-encrypt', 'point-i': 'own' }], file: 'broken.yaml', run: 'run', twin: 'twin' } : null };
}

const FAMILIES = ['flow', 'deviation', 'state', 'parser', 'replay', 'sdp', 'kms'];
const LEVELS = ['MUST', 'MUST', 'SHOULD', 'MAY', 'profile'];

/** `faults`: the numbers of requirements that this implementation breaks. */
export function conformance(name, faults) {
  const requirements = Array.from({ length: 90 }, (_, i) => {
    const profile = i >= 75;
    const testable = i % 17 !== 5;
    const broken = faults.includes(i);
    return { id: profile ? `P-${i - 74}` : `6267-${i + 1}`, document: profile ? 'profile' : 'RFC 6267', section: `4.2.${1 + (i % 3)}.${1 + (i % 4)}`, level: profile ? 'profile' : LEVELS[i % 4],
      text: `what statement ${i + 1} of the text demands of whoever implements it`, status: !testable ? 'not testable' : broken ? 'broken' : i % 23 === 9 ? 'skipped' : 'held',
      passed: testable && !broken ? 4 : 2, failed: broken ? 2 : 0, skipped: 0, other: 0, ...(testable ? {} : { not_testable: 'nothing outside can see it' }) };
  });
  const cases = Array.from({ length: 240 }, (_, i) => {
    const requirement = requirements[i % 90];
    const failed = requirement.status === 'broken' && i < 180;
    const base = { case: `${FAMILIES[i % 7]}/${['responder', 'initiator'][i % 2]}/t-changed-${i}`, title: 'the peer bends the timestamp', verdict: failed ? 'fail' : i % 41 === 40 ? 'skipped' : 'pass',
      seconds: 0.01 + (i % 13) / 500, known: false, requirements: [requirement.id] };
    return failed ? { ...base, requirement: requirement.id, document: requirement.document, section: requirement.section, reason: 'R_MESSAGE_1: the V flag is 0',
      permitted: 'refused:echo|identity discarded:*', sent: 'I_MESSAGE_2 of 401 octets: HDR(version 1, data type 24, V 1, PRF 0) T(NTP-UTC) RAND(16 octets) IDR(alice) IDR(bob) IBAKE(290 octets)',
      came_back: '{"session":"b","event":"accepted","state":"established","messages":[]}' } : base;
  });
  const verdicts = {};
  for (const c of cases) verdicts[c.verdict] = (verdicts[c.verdict] ?? 0) + 1;
  const checks = cases.map((c) => check(c.case, c.title, c.verdict, { requirement: c.requirement ?? null, detail: c.reason ?? null }));
  return { ...head('conformance', `Conformance of ${name}`, `./${name}`, checks, [{ name: 'cases', value: cases.length, unit: 'count' }]),
    iut: `./${name}`, timestamp: '2026-11-24T12:00:00', seconds: 11.2, baseline_complaints: 0, verdicts, cases, requirements };
}

export function mutants() {
  const verdicts = (i) => (i % 29 === 28 ? 'survived' : i % 13 === 12 ? 'elsewhere' : i % 37 === 36 ? 'equivalent' : 'killed');
  const list = Array.from({ length: 120 }, (_, i) => {
    const verdict = verdicts(i);
    const killed = verdict === 'killed' || verdict === 'elsewhere';
    const document = ['6267', '3830', 'P', '6043', '5091'][i % 5];
    return { id: `${['i1', 'r1', 'kr', 'parse', 'state'][i % 5]}-fault-${i}`, breaks: [`${document}-${1 + (i % 60)}`], text: 'the length of the field is not looked at',
      excuse: verdict === 'equivalent' ? 'the next check refuses the same octets' : null, verdict, case: killed ? `${FAMILIES[(i * 3) % 7]}/responder/t-changed-${i}` : null,
      case_verdict: killed ? 'fail' : null, requirement: killed ? `${document}-${1 + (i % 60)}` : null };
  });
  const tally = {};
  for (const m of list) tally[m.verdict] = (tally[m.verdict] ?? 0) + 1;
  return { ...head('mutants', 'Mutants of libibake', '*', list.map((m) => check(m.id, m.text, m.verdict === 'survived' ? 'fail' : 'pass')), []),
    timestamp: '2026-11-24T12:00:00', seconds: 2210.5, cases: 1814, tally, mutants: list };
}

export function fuzz() {
  const series = [];
  for (let job = 0; job < 2; job++)
    for (let s = 0; s <= 600; s += 20)
      series.push({ job, seconds: s === 0 ? null : s, executions: s * (21000 + job * 900), edges: Math.round(900 + 480 * (1 - Math.exp(-s / (90 + 40 * job)))), features: 3000 + s * 2,
        corpus: 120 + Math.floor(s / 8), findings: s > 400 && job === 1 ? 1 : 0 });
  const findings = [{ file: 'findings/crash-3f2a91', what: 'crash', text: 'AddressSanitizer: heap-buffer-overflow in ibk_rd_u8 reader.c:41' }];
  return { ...head('fuzz', 'Fuzzing of parse_message', 'parse_message', [check('finding/1', 'crash', 'fail', { detail: findings[0].text, file: findings[0].file })], []),
    target: 'parse_message', engine: 'libfuzzer', sanitizers: true, jobs: 2, timestamp: '2026-11-24T12:00:00', seconds: 600, executions: 25740000, executions_per_second: 42900,
    coverage: { edges: 1379, features: 4200 }, corpus: { inputs: 195, new: 75 }, stability: null, findings, series };
}

export function benchmark(index) {
  const drift = [1, 0.93, 0.95, 0.82][index];
  const sizes = [512, 1024, 1536];
  const measures = sizes.flatMap((bits, i) => [
    { name: `p${bits}/pairing/time`, value: [0.000171, 0.00102, 0.00261][i] * drift, unit: 's' },
    { name: `p${bits}/pairing/time-over-limit`, value: [1.22, 1.31, 1.17][i] * drift, unit: 'ratio' },
    { name: `p${bits}/encrypt/time`, value: [0.000136, 0.00082, 0.00233][i] * (2 - drift), unit: 's' },
  ]);
  return { ...head('benchmark', 'Cryptography', 'crypto', [], measures), timestamp: `2026-11-${20 + index}T09:00:00`, machine: 'Zen 5', quick: index === 3, details: {} };
}

/** A run of `count` calls among `count / 5` users of two domains, as a result.json has it. */
export function run(count, seed = 1) {
  const random = randomOf(seed);
  const users = Array.from({ length: Math.max(2, Math.floor(count / 5)) }, (_, i) => ({
    name: `user-${i + 1}`, impu: `sip:user-${i + 1}@${i % 2 ? 'b' : 'a'}.example`, node: `user-${i + 1}`, register_begin_ns: 0, registered_ns: 170e6 + Math.floor(random() * 5e6), keys_begin_ns: 0,
    keys_received_ns: 99e6 + Math.floor(random() * 9e6), keys: 1, keys_held: 1, keys_dropped: 0, key_requests: [{ kind: 'first', method: 'psk', begin_ns: 0, end_ns: 99e6, identities: 1, keys: 1, tries: 1, failure: null }],
    registrations: 1, retransmissions: 0, failure: null, parameters: [], cpu: { model: null, jobs: 0, busy_ns: 0 } }));
  const calls = Array.from({ length: count }, (_, i) => {
    const from = users[Math.floor(random() * users.length)].name;
    const to = users[Math.floor(random() * users.length)].name;
    const failed = random() < 0.012;
    const invite = 1e9 + Math.floor((i / count) * 120e9);
    const parts = { ringing_ns: 1e9, radio_ns: Math.floor(180e6 + 60e6 * Math.abs(normal(random))), core_ns: 148e6, resent_ns: random() < 0.05 ? 500e6 : 0, keys_ns: 0, kms_ns: 0, signalling_ns: 8e6,
      crypto: [{ node: from, computing_ns: 23e6, queued_ns: 0 }, { node: to, computing_ns: 30e6, queued_ns: Math.floor(random() * 4e6) }] };
    const setup = parts.ringing_ns + parts.radio_ns + parts.core_ns + parts.resent_ns + parts.signalling_ns + parts.crypto.reduce((s, c) => s + c.computing_ns + c.queued_ns, 0);
    const at = (n) => (failed ? null : invite + n);
    const media = (a, b) => ({ stream: 'audio', from: a, to: b, codec: 'PCMU', protected: true, sent: 100, received: 100 - Math.floor(random() * 1.3), lost: 0, octets: 16000, auth_failures: 0, replays: 0,
      jitter_ns: 5, first_ns: at(setup + 40e6), content_matches: true });
    return { id: `call-${i + 1}`, call_id: (0x100000000 + i * 7919).toString(16).repeat(3).slice(0, 32), from, to, answered_by: failed ? null : to, diverted_by: null, retargeted: 0, legs: failed ? 0 : 1,
      state: failed ? 'failed' : 'established', failure: failed ? 'no answer from the callee' : null, sip_status: failed ? 480 : 200, invite_ns: invite, provisional_ns: at(250e6), keyed_ns: at(360e6),
      established_ns: at(setup), first_media_ns: at(setup + 40e6), ended_ns: at(setup + 3e9), setup_ns: failed ? null : setup, setup: failed ? null : parts, keys_agree: !failed, csb_id: failed ? null : '54a3d214',
      retransmissions: parts.resent_ns ? 1 : 0, mikey: [{ message: 'I_MESSAGE_1', octets: 716 }, { message: 'R_MESSAGE_1', octets: 762 }, { message: 'I_MESSAGE_2', octets: 673 }, { message: 'R_MESSAGE_2', octets: 168 }],
      media: failed ? [] : [media(from, to), media(to, from)], updates: [] };
  });
  const established = calls.filter((c) => c.state === 'established');
  const times = established.map((c) => c.setup_ns).sort((a, b) => a - b);
  const way = (n) => ({ packets: n, octets: n * 240, lost: 0 });
  const link = (a, b, n) => ({ name: `${a}-${b}`, a, b, a_to_b: way(n), b_to_a: way(n) });
  const links = ['a.example', 'b.example'].flatMap((d) => ['pcscf', 'icscf', 'scscf', 'hss', 'kms'].map((r) => link(`${r}.${d}`, `core.${d}`, count * 8)))
    .concat([link('core.a.example', 'core.b.example', count * 60)], users.map((u) => link(u.node, `core.${u.impu.split('@')[1]}`, 260)));
  const fact = (what, call, how, at_ns, step) => ({ what, call, how, at_ns, step });
  const parties = users.map((u) => ({ party: u.name, kind: 'user', knows: [fact('psk', null, 'held', 0, 'shared with its KMS'), fact('private-key', null, 'received', 99e6, 'issued to it by its KMS')] }));
  const knows = new Map(parties.map((p) => [p.party, p.knows]));
  for (const c of established) {
    knows.get(c.from).push(fact('xP', c.id, 'held', c.invite_ns, 'computed from its x'), fact('x', c.id, 'held', c.invite_ns, 'drawn by itself'),
      fact('yP', c.id, 'decrypted', c.provisional_ns, 'read in R_MESSAGE_1 with its private key'));
    knows.get(c.to).push(fact('yP', c.id, 'held', c.provisional_ns, 'computed from its y'), fact('y', c.id, 'held', c.provisional_ns, 'drawn by itself'),
      fact('xP', c.id, 'decrypted', c.keyed_ns, 'read with its private key'));
    for (const name of [c.from, c.to])
      knows.get(name).push(fact('session-key', c.id, 'computed', c.first_media_ns, '[xy]P computed; SRTP accepted with what follows from it'), fact('media', c.id, 'received', c.first_media_ns, 'SRTP of its call'));
  }
  return { schema: 'ibakelab-result/1', kind: 'run', title: `${count} calls`, scenario: 'scenarios/calls/many.yaml', verdict: 'pass', error: null, seed: '1', run_number: '0', parameters: '1024 bits (80-bit strength)',
    virtual_ns: 130e9, events: count * 900, expectations: [{ text: 'calls: established at least 95 %', file: 'scenarios/calls/many.yaml', line: 12, held: true, observed: `${established.length} of ${count}` }],
    properties: ['agreement', 'identity', 'terms', 'freshness', 'secrecy', 'wiping'].map((name) => ({ name, holds: true, detail: null })),
    summary: { calls: count, established: established.length, failed: count - established.length, dropped: 0, setup_ns: { min: times[0], median: times[times.length >> 1], max: times[times.length - 1] } },
    users, calls, kms: [{ domain: 'a.example', identity: 'kms@a.example', requests: users.length, served: users.length, refused: 0, refused_for: {}, keys_issued: users.length, first_request_ns: 60e6, last_answer_ns: 99e6, cpu: null }],
    messages: [], adversaries: [], knowledge: { parties, remarks: [] }, links, versions: VERSIONS };
}
