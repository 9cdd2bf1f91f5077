// What was judged, in any kind: the failures first.
import { useMemo } from 'preact/hooks';
import { Badge } from '../ui/basic';
import { DataTable, Plain } from '../ui/table';
import type { Column } from '../ui/table';
import { short } from '../format';
import type { Check, Item } from '../types';

const RANK: Record<string, number> = { error: 0, fail: 1, known: 2, skipped: 3, pass: 4 };

const FACETS = [
  { id: 'outcome', label: 'Outcome', of: (c: Check) => c.outcome },
  { id: 'level', label: 'Level', of: (c: Check) => c.level ?? 'none' },
];

function columnsFor(checks: Check[]): Column<Check>[] {
  const place = (c: Check) => (c.file ? `${c.file}${c.line ? `:${c.line}` : ''}` : '');
  const all: (Column<Check> & { when?: boolean })[] = [
    { id: 'outcome', head: 'outcome', cell: (c) => <Badge of={c.outcome} />, value: (c) => RANK[c.outcome], width: 12 },
    { id: 'text', head: 'what was judged', cell: (c) => c.text ?? c.id, value: (c) => `${c.id} ${c.text ?? ''}` },
    { id: 'detail', head: 'what there was', cell: (c) => c.detail ?? '', value: (c) => c.detail ?? '', width: 30, when: checks.some((c) => c.detail) },
    { id: 'requirement', head: 'requirement', cell: (c) => [c.requirement, c.section && `§${c.section}`, c.level].filter(Boolean).join(' '),
      value: (c) => c.requirement ?? '', width: 22, when: checks.some((c) => c.requirement) },
    { id: 'place', head: 'where it stands', cell: (c) => <code>{place(c)}</code>, value: place, width: 34, when: checks.some((c) => c.file) },
  ];
  return all.filter((c) => c.when !== false);
}

export function Checks({ item }: { item: Item }) {
  const checks = useMemo(() => [...item.checks].sort((a, b) => RANK[a.outcome] - RANK[b.outcome]), [item]);
  const columns = useMemo(() => columnsFor(checks), [checks]);
  if (!checks.length) return <p class="note">Nothing was judged.</p>;
  return <DataTable caption="What was judged, failures first" columns={columns} rows={checks} facets={FACETS} />;
}

export function Measures({ item: { measures } }: { item: Item }) {
  if (!measures.length) return null;
  return <Plain caption="Measures" head={['measure', 'value', 'unit']} numbers={[1]} rows={measures.map((m) => [m.name, short(m.value), m.unit ?? ''])} />;
}
