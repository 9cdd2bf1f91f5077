// Who came to know what: parties down, kinds of secrets across; a cell opens the steps that taught it.
import { useMemo, useState } from 'preact/hooks';
import { DataTable } from '../ui/table';
import type { Column } from '../ui/table';
import { moment } from '../format';
import type { Fact, Party, RunResult } from '../types';

export const SECRETS = ['xP', 'yP', 'x', 'y', 'session-key', 'media', 'content', 'private-key', 'master-secret', 'psk'];

// Held from the start, or found out: what a party was given says less about an attack than what it worked out.
export function signOf(facts: Fact[]): [string, string] {
  if (!facts.length) return ['·', 'does not know it'];
  if (facts.some((f) => f.how === 'broken-in')) return ['‼', 'by breaking in'];
  if (facts.every((f) => f.how === 'held')) return ['•', 'holds it itself'];
  return ['✓', 'came to know it'];
}

function Steps({ party, what, facts }: { party: string; what: string; facts: Fact[] }) {
  return (
    <div class="steps" role="status">
      <h3>{party}: {what}</h3>
      {facts.length ? (
        <ul>
          {facts.slice(0, 50).map((f, i) => (
            <li key={i}><span class="num">{moment(f.at_ns)} s</span> <strong>{f.how}</strong>: {f.step}{f.call && <> <span class="mute">(call {f.call})</span></>}</li>
          ))}
          {facts.length > 50 && <li class="mute">and {facts.length - 50} more</li>}
        </ul>
      ) : <p>does not know it</p>}
    </div>
  );
}

export function Knowledge({ result, call }: { result: RunResult; call?: string | null }) {
  const [all, setAll] = useState(true);
  const [cell, setCell] = useState<{ party: Party; what: string } | null>(null);
  const of = (party: Party, what: string) => party.knows.filter((f) => f.what === what && (all || !call || f.call === null || f.call === call));
  const parties = result.knowledge.parties;
  const secrets = useMemo(() => {
    const known = new Set(parties.flatMap((p) => p.knows.map((f) => f.what)));
    return [...SECRETS.filter((s) => known.has(s)), ...[...known].filter((s) => !SECRETS.includes(s))];
  }, [parties]);
  const columns: Column<Party>[] = [
    { id: 'party', head: 'party', cell: (p) => <span class={`k-${p.kind}`}>{p.party}</span>, value: (p) => p.party, width: 26 },
    { id: 'kind', head: 'kind', cell: (p) => p.kind, value: (p) => p.kind, width: 11 },
    ...secrets.map((what): Column<Party> => ({
      id: what, head: what, width: 13, value: (p) => of(p, what).length,
      cell: (p) => {
        const facts = of(p, what);
        const [sign, words] = signOf(facts);
        const bad = p.kind === 'adversary' && facts.length > 0 && !facts.every((f) => f.how === 'held');
        return facts.length ? (
          <button type="button" class={`cell ${bad ? 'bad' : ''}`} aria-label={`${p.party} and ${what}: ${words}`}
            aria-pressed={cell?.party === p && cell.what === what} onClick={() => setCell({ party: p, what })}>{sign}</button>
        ) : <span class="cell none"><span aria-hidden="true">·</span><span class="hidden">no</span></span>;
      },
    })),
  ];
  return (
    <>
      {call && result.calls.length > 1 && (
        <label class="tools"><input type="checkbox" checked={!all} onChange={(e) => setAll(!e.currentTarget.checked)} /> only of call {call}</label>
      )}
      <DataTable caption="Who knows what: • holds it itself, ✓ came to know it, ‼ by breaking in. A cell opens the steps." columns={columns}
        rows={parties} facets={KIND_FACET} />
      {cell && <Steps party={cell.party.party} what={cell.what} facts={of(cell.party, cell.what)} />}
      {result.knowledge.remarks.map((r) => <p key={r} class="note">{r}</p>)}
    </>
  );
}

const KIND_FACET = [{ id: 'kind', label: 'Kind', of: (p: Party) => p.kind }];
