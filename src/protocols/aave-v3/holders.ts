/** The rows of one reserve's holders, each at least once; some may not hold it any more. */
interface HolderList {
  rows: Uint32Array;
  used: number;
  /** How many rows do hold it. */
  alive: number;
}

/** A list is cleaned once it is this much longer than it has to be. */
const CLEAN_ABOVE = 1.5;
const NOT_WORTH_CLEANING = 256;

/** By reserve, the rows of a table that hold it: so that a price that moves touches nobody else. */
export class Holders {
  private readonly lists: HolderList[] = [];

  add(reserveId: number, row: number): void {
    const list = this.listOf(reserveId);
    if (list.used === list.rows.length) {
      const larger = new Uint32Array(list.used * 2);
      larger.set(list.rows);
      list.rows = larger;
    }
    list.rows[list.used++] = row;
    list.alive += 1;
  }

  remove(reserveId: number): void {
    this.listOf(reserveId).alive -= 1;
  }

  /**
   * Every row that holds the reserve, in ascending order but for those that came later, and few that do not. Valid until the
   * table changes.
   *
   * @param holds whether a row does.
   */
  rows(reserveId: number, holds: (row: number) => boolean): Uint32Array {
    const list = this.listOf(reserveId);
    if (list.used > Math.max(NOT_WORTH_CLEANING, list.alive * CLEAN_ABOVE)) {
      const sorted = list.rows.subarray(0, list.used).sort();
      let kept = 0;
      for (let index = 0; index < list.used; index++) {
        const row = sorted[index] ?? 0;
        if (row !== sorted[kept - 1] && holds(row)) sorted[kept++] = row;
      }
      list.used = kept;
    }
    return list.rows.subarray(0, list.used);
  }

  private listOf(reserveId: number): HolderList {
    return (this.lists[reserveId] ??= { rows: new Uint32Array(64), used: 0, alive: 0 });
  }
}
