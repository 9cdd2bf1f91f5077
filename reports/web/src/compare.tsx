// Two runs side by side: an attack and its twin with the defence off, or any two.
import { useMemo, useState } from 'preact/hooks';
import { Badge, Section } from './ui/basic';
import { Plain } from './ui/table';
import { LadderLegend, LadderView } from './run/ladder';
import { SECRETS, signOf } from './run/knowledge';
import { duration } from './format';
import { isTwin, titleOf } from './model';
import type { Item, RunResult } from './types';

const runOf = (item: Item) => item.result as unknown as RunResult;

/** What holds in one and not in the other stands first. */
function Properties({ items }: { items: Item[] }) {
  const names = [...new Set(items.flatMap((i) => runOf(i).properties.map((p) => p.name)))];
  const of = (item: Item, name: string) => runOf(item).properties.find((p) => p.name === name);
  const rows = names.map((name) => {
    const both = items.map((item) => of(item, name));
    return { name, both, differ: both[0]?.holds !== both[1]?.holds };
  }).sort((a, b) => Number(b.differ) - Number(a.differ));
  return (
    <Plain caption="Security properties of both" head={['property', titleOf(items[0]), titleOf(items[1]), 'both']}
      rows={rows.map((r) => [r.name, ...r.both.map((p) => p && <><Badge of={p.holds ? 'holds' : 'broken'} /> {p.detail}</>), r.differ ? 'differ' : 'the same'])} />
  );
}

export function knowledgeDifferences(a: RunResult, b: RunResult): { party: string; kind: string; what: string; signs: [string, string]; words: [string, string] }[] {
  const names = [...new Set([...a.knowledge.parties, ...b.knowledge.parties].map((p) => p.party))];
  const facts = (r: RunResult, party: string, what: string) => r.knowledge.parties.find((p) => p.party === party)?.knows.filter((f) => f.what === what) ?? [];
  return names.flatMap((party) => SECRETS.flatMap((what) => {
    const [x, y] = [facts(a, party, what), facts(b, party, what)];
    if (!x.length === !y.length) return [];
    const kind = [...a.knowledge.parties, ...b.knowledge.parties].find((p) => p.party === party)!.kind;
    const step = (list: typeof x) => list[0]?.step ?? '';
    return [{ party, kind, what, signs: [signOf(x)[0], signOf(y)[0]] as [string, string], words: [step(x), step(y)] as [string, string] }];
  })).sort((p, q) => Number(q.kind === 'adversary') - Number(p.kind === 'adversary'));
}

function Side({ item, callId, twins }: { item: Item; callId: string; twins: boolean }) {
  const r = runOf(item);
  const run = item.run;
  const index = r.calls.findIndex((c) => c.id === callId);
  const call = r.calls[index];
  const ladder = run?.ladders.find((l) => l.call === index && index >= 0) ?? run?.ladders[0];
  return (
    <div class="side">
      <h3>{titleOf(item)}</h3>
      <p class="note">{twins && (isTwin(item.result) ? 'defence off: ' : 'as it should be: ')}<Badge of={item.result.verdict} />
        {call && <> call {call.id}: <Badge of={call.state} /> {call.setup_ns !== null && `set-up ${duration(call.setup_ns)}`} {call.failure}</>}</p>
      {ladder && run ? <LadderView ladder={ladder} run={run} result={r} /> : <p class="note">No ladder in this report.</p>}
    </div>
  );
}

export function RunComparison({ items }: { items: Item[] }) {
  const [a, b] = items.map(runOf);
  const ids = useMemo(() => [...new Set([...a.calls, ...b.calls].map((c) => c.id))], [a, b]);
  const [callId, setCallId] = useState(ids[0] ?? '');
  const differences = useMemo(() => knowledgeDifferences(a, b), [a, b]);
  return (
    <>
      <Section id="properties" title="Security properties"><Properties items={items} /></Section>
      <Section id="knowledge" title="Who knows more">
        {differences.length
          ? <Plain caption="What a party knows in one run and not in the other" head={['party', 'secret', titleOf(items[0]), titleOf(items[1])]}
              rows={differences.slice(0, 200).map((d) => [<span class={`k-${d.kind}`}>{d.party}</span>, d.what, `${d.signs[0]} ${d.words[0]}`, `${d.signs[1]} ${d.words[1]}`])} />
          : <p class="note">Each party knows the same kinds of secrets in both.</p>}
      </Section>
      <Section id="ladders" title="Ladders side by side">
        {ids.length > 1 && <div class="tools"><label>Call{' '}<select value={callId} onChange={(e) => setCallId(e.currentTarget.value)}>{ids.slice(0, 500).map((id) => <option key={id} value={id}>{id}</option>)}</select></label></div>}
        <LadderLegend hasAdversary={a.adversaries.length + b.adversaries.length > 0} />
        <div class="sides">{items.map((item, i) => <Side key={i} item={item} callId={callId} twins={isTwin(items[0].result) !== isTwin(items[1].result)} />)}</div>
      </Section>
      <Section id="expectations" title="Expectations">
        {items.map((item) => (
          <Plain key={item.dir} caption={titleOf(item)} head={['expectation', 'held', 'observed']}
            rows={runOf(item).expectations.map((e) => [e.text, <Badge of={e.held ? 'held' : 'broken'} />, e.observed])} />
        ))}
      </Section>
    </>
  );
}
