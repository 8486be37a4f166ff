import type { LegTable } from './leg-table.js';
import type { Watchlist } from './watchlist.js';

/** Chooses the rows to compare with the chain, in turns. */
export class ComparisonTurns<Key extends string | number> {
  private watched = 0;
  private row = 0;

  constructor(
    private readonly table: LegTable<Key>,
    private readonly watchlist: Watchlist<Key>,
  ) {}

  /**
   * The keys of the watched rows, and of some of the others in turn. When more rows are watched than fit into
   * `count`, the watched rows take turns as well.
   *
   * @param first of the table's keys, these are among them.
   */
  next(count: number, first: readonly Key[]): Key[] {
    const found = new Set<Key>();
    const add = (row: number | undefined): void => {
      const key = row === undefined ? undefined : this.table.keyOf(row);
      if (key !== undefined) found.add(key);
    };
    for (const key of first) add(this.table.rowOf(key));
    const { rows } = this.watchlist;
    const { rowCount } = this.table;
    const watched = Math.min(rows.length, count - Math.min(Math.floor(count / 10), rowCount));
    for (let index = 0; index < watched; index++) add(rows[(this.watched + index) % rows.length]);
    this.watched += watched;
    for (let left = rowCount; left > 0 && found.size < count; left--) add(this.row++ % rowCount);
    return [...found];
  }
}
