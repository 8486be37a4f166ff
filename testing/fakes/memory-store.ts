import type { AlertStore } from '../../src/alerts/delivery-queue.js';
import type { StoredRecord } from '../../src/alerts/stored-record.js';
import type { JournalEntry } from '../../src/journal/journal.js';

/** A journal without a disk. */
export class MemoryStore implements AlertStore {
  readonly entries = new Map<string, JournalEntry<StoredRecord>>();
  /** What every write is refused with. */
  problem: Error | undefined;
  private count = 0;

  get pending(): readonly JournalEntry<StoredRecord>[] {
    return [...this.entries.values()];
  }

  async append(payload: StoredRecord): Promise<JournalEntry<StoredRecord>> {
    await Promise.resolve();
    if (this.problem) throw this.problem;
    this.count += 1;
    const entry = { id: String(this.count), atMs: 0, payload };
    this.entries.set(entry.id, entry);
    return entry;
  }

  async done(...ids: readonly string[]): Promise<void> {
    await Promise.resolve();
    for (const id of ids) this.entries.delete(id);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
