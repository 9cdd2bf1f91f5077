// Small parts that every page is made of.
import type { ComponentChildren } from 'preact';

// A sign beside the word, so that nothing is said by colour alone.
const LOOKS: Record<string, [string, string]> = {
  pass: ['✓', 'good'], held: ['✓', 'good'], holds: ['✓', 'good'], established: ['✓', 'good'], killed: ['✓', 'good'], yes: ['✓', 'good'],
  fail: ['✗', 'bad'], broken: ['✗', 'bad'], failed: ['✗', 'bad'], survived: ['✗', 'bad'], 'not equivalent': ['✗', 'bad'], crash: ['✗', 'bad'], no: ['✗', 'bad'],
  error: ['!', 'bad'], timeout: ['!', 'bad'], garbage: ['!', 'bad'], nondeterministic: ['!', 'bad'],
  known: ['●', 'warn'], dropped: ['✗', 'warn'], elsewhere: ['✓', 'warn'], 'not judged': ['?', 'warn'],
  skipped: ['–', 'mute'], 'not played': ['–', 'mute'], 'not testable': ['–', 'mute'], equivalent: ['=', 'mute'], measured: ['–', 'mute'],
};

export function Badge({ of, children }: { of: string; children?: ComponentChildren }) {
  const [sign, tone] = LOOKS[of] ?? ['·', 'mute'];
  return (
    <span class={`badge ${tone}`}>
      <span aria-hidden="true">{sign}</span> {children ?? of}
    </span>
  );
}

export function Section(props: { id: string; title: string; note?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section id={props.id} class="card" aria-labelledby={`${props.id}-title`}>
      <div class="card-head">
        <h2 id={`${props.id}-title`} tabIndex={-1}>{props.title}</h2>
        {props.note && <p class="note">{props.note}</p>}
      </div>
      {props.children}
    </section>
  );
}

export interface TileSpec { name: string; value: string; note?: string; tone?: 'good' | 'bad' | 'warn' }

export function Tiles({ tiles }: { tiles: TileSpec[] }) {
  return (
    <dl class="tiles">
      {tiles.map((tile) => (
        <div key={tile.name} class={`tile ${tile.tone ?? ''}`}>
          <dt>{tile.name}</dt>
          <dd>{tile.value}{tile.note && <small>{tile.note}</small>}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A drawing with its caption, and the same figures as a table for those who cannot see it. */
export function Figure(props: { caption: ComponentChildren; children: ComponentChildren; table?: ComponentChildren }) {
  return (
    <figure>
      {props.children}
      <figcaption>{props.caption}</figcaption>
      {props.table && <details class="figures"><summary>The figures as a table</summary>{props.table}</details>}
    </figure>
  );
}

export function Legend({ entries }: { entries: { tone: string; text: string }[] }) {
  return (
    <ul class="legend">
      {entries.map((e) => <li key={e.text}><span class={`swatch ${e.tone}`} aria-hidden="true" /> {e.text}</li>)}
    </ul>
  );
}

export function Code({ text }: { text: string | null | undefined }) {
  return <pre class="code" tabIndex={0}><code>{text}</code></pre>;
}

/** A region that scrolls must be reachable by keyboard, hence the tabindex. */
export function Scroll({ label, children, className = '' }: { label: string; children: ComponentChildren; className?: string }) {
  return <div class={`scroll ${className}`} role="group" aria-label={label} tabIndex={0}>{children}</div>;
}
