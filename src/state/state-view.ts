import type { Block } from '../domain/block.js';
import type { FollowedName } from './followed.js';

/** Everything that a decision may look at, all of it at one block. */
export class StateView {
  /**
   * @param views by the name of what is followed.
   * @param nextTimestamp the earliest time of the block after this one, seconds since the epoch.
   * @param laterTimestamp that of the block after the next one.
   */
  constructor(
    readonly block: Block,
    private readonly views: ReadonlyMap<string, unknown>,
    readonly nextTimestamp = block.timestamp + 1,
    readonly laterTimestamp = nextTimestamp + 1,
  ) {}

  /** The view of this followed thing. @throws TypeError when it is not part of the state. */
  of<View>({ name }: FollowedName<View>): View {
    if (!this.views.has(name)) throw new TypeError(`the state has no view of ${name}`);
    // The engine put there what the `view` of the thing of this name returned.
    return this.views.get(name) as View;
  }
}
