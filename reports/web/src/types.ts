// What the page is given: reports/schema/result.schema.json for the results, docs/reports.md for the rest.

export type Text = string | null;
export type Ns = number | null; // nanoseconds of virtual time; null: it did not happen

export interface Page {
  schema: 'ibakelab-page/1';
  items: Item[];
}

export interface Item {
  dir: string;
  result: Result;
  checks: Check[]; // of every kind alike; a run's are derived
  measures: Measure[];
  run?: Run;
}

export type Verdict = 'pass' | 'fail' | 'error';
export type Outcome = 'pass' | 'fail' | 'skipped' | 'known' | 'error';

export interface Check {
  id: string;
  text: Text;
  outcome: Outcome;
  detail?: Text;
  file?: Text;
  line?: number | null;
  requirement?: Text;
  section?: Text;
  level?: Text;
}

export interface Measure {
  name: string;
  value: number;
  unit: Text;
}

// The head that every kind has.
export interface Head {
  schema: string;
  kind?: string;
  title: Text;
  subject?: Text;
  verdict: Verdict;
  error: Text;
  versions?: Record<string, Text>;
}

export type Result = Head & Record<string, unknown>;

// ---- a run ------------------------------------------------------------------------------------------------

export interface Way { packets: number; octets: number; lost: number }
export interface Link { name: string; a: string; b: string; a_to_b: Way; b_to_a: Way }
export interface Media {
  stream: string; from: string; to: string; codec: Text; protected: boolean; sent: number; received: number; lost: number;
  octets: number; auth_failures: number; replays: number; jitter_ns: number; first_ns: Ns; content_matches: boolean;
}
export interface Setup {
  ringing_ns: number; radio_ns: number; core_ns: number; resent_ns: number; keys_ns: number; kms_ns: number; signalling_ns: number;
  crypto: { node: string; computing_ns: number; queued_ns: number }[];
}
export interface Call {
  id: string; call_id: string; from: string; to: string; answered_by: Text; diverted_by: Text; legs: number;
  state: 'established' | 'failed' | 'dropped'; failure: Text; sip_status: number | null;
  invite_ns: Ns; provisional_ns: Ns; keyed_ns: Ns; established_ns: Ns; first_media_ns: Ns; ended_ns: Ns; setup_ns: Ns;
  setup: Setup | null; keys_agree: boolean; csb_id: Text; retransmissions: number;
  mikey: { message: string; octets: number }[]; media: Media[]; updates: Update[];
}
export interface Update {
  do: string; by: string; carrier: string; begun_ns: Ns; done_ns: Ns; ok: boolean; keys_agree: boolean; reason: Text; csb: boolean;
}
export interface Fact { what: string; call: Text; how: string; at_ns: Ns; step: Text }
export interface Party { party: string; kind: string; knows: Fact[] }
export interface User {
  name: string; impu: string; node: string; register_begin_ns: Ns; registered_ns: Ns; keys_begin_ns: Ns; keys_received_ns: Ns;
  keys: number; keys_held: number; key_requests: KeyRequest[]; registrations: number; retransmissions: number; failure: Text;
}
export interface KeyRequest { kind: string; method: string; begin_ns: Ns; end_ns: Ns; keys: number; tries: number; failure: Text }
export interface Kms {
  domain: string; identity: string; requests: number; served: number; refused: number; refused_for: Record<string, number>;
  keys_issued: number;
}
export interface Seat { link: Text; inside: Text }
export interface Adversary {
  name: string; seats?: Seat[]; messages: { seen: number; changed: number; dropped: number; delayed: number; sent: number };
  rules: { on: string; do: string; fired: number; failed: number; why: Text }[];
}
export interface StoredMessage {
  call: Text; from: Text; to: Text; via: Text; recipient: Text; stored_ns: Ns; delivered_ns: Ns; packets: number; opened: number;
  readable: boolean; intact: boolean; refused: boolean; reason: Text;
}
export interface RunResult extends Head {
  scenario: Text; seed: string; parameters: Text; virtual_ns: number; events: number;
  expectations: { text: string; file: Text; line: number | null; held: boolean; observed: Text }[];
  properties: { name: string; holds: boolean; detail: Text }[];
  summary: { calls: number; established: number; failed: number; dropped: number;
             setup_ns: { min: number; median: number; max: number } | null };
  users: User[]; calls: Call[]; kms: Kms[]; messages: StoredMessage[]; adversaries: Adversary[];
  knowledge: { parties: Party[]; remarks: string[] };
  links: Link[];
}

export interface Run {
  nodes: { name: string; kind: string; domain: Text }[];
  links: { a: number; b: number; messages: number; octets: number; packets: number | null; lost: number | null; capture: Text }[];
  ladders: Ladder[];
  left_out: number;
  messages: { octets: string; tree: Tree }[];
  captures: string[];
  states: { call: number | null; node: number; ns: number; what: string }[];
}
export interface Ladder { call: number | null; title: string; rows: Row[] }
export interface Row {
  ns: number; arrived_ns: Ns; from: number; to: number; label: string; mikey: Text; kind: string; transport: Text;
  octets: number | null; copies: number; lost: boolean; dialog: number | null; note: Text; adversary: Text; readers: string[];
  message: number | null;
}
export interface Tree { message?: string; octets?: number; fields?: Field[]; error?: { name: string; text?: string } }
export interface Field {
  name: string; offset?: number; length?: number; number?: number; text?: string; hex?: string; fields?: Field[];
}

// ---- the other kinds --------------------------------------------------------------------------------------

export interface ConformanceCase {
  case: string; title: string; verdict: string; seconds: number; known: boolean; requirements: string[];
  requirement?: string; document?: string; section?: string; reason?: string; permitted?: string; sent?: string; came_back?: string;
}
export interface Requirement {
  id: string; document: string; section: string; level: string; text: string; status: string; not_testable?: string;
  passed: number; failed: number; skipped: number; other: number;
}
export interface ConformanceResult extends Head {
  iut: string; seconds: number; verdicts: Record<string, number>; cases: ConformanceCase[]; requirements: Requirement[];
}
