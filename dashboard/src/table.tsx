import type { ComponentChildren } from 'preact';

export interface Row {
  readonly name: string;
  readonly value: string | number;
  readonly title?: string;
}

export function Panel({
  title,
  wide,
  children,
}: {
  title: string;
  wide?: boolean;
  children: ComponentChildren;
}) {
  return (
    <section aria-label={title} class={wide ? 'wide' : ''}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

export function Rows({ rows }: { rows: readonly Row[] }) {
  return (
    <dl>
      {rows.map(({ name, value, title }) => (
        <div key={name} title={title}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A share of a limit, for the eye. */
export function Bar({
  name,
  used,
  limit,
  text,
}: {
  name: string;
  used: number;
  limit: number;
  text: string;
}) {
  return (
    <div class="bar">
      <span>{name}</span>
      <span>{text}</span>
      <meter
        min={0}
        max={limit > 0 ? limit : 1}
        value={limit > 0 ? used : 0}
        aria-label={`${name}: ${text}`}
      />
    </div>
  );
}
