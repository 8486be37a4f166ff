import type { ChimeraConfig } from '../../config/index.js';
import type { Clock } from '../../domain/clock.js';
import { HaltError, StartupError } from '../../domain/errors.js';
import type { Chain } from '../../rpc/chain/chain.js';
import { PrivateRelay } from '../../rpc/endpoints/private-relay.js';
import type { Door } from './door.js';
import { PrivateDoor } from './private-door.js';
import { PublicDoor } from './public-door.js';

type Path = ChimeraConfig['execution']['paths'][number];

function doorOf(path: Path, chain: Chain, clock: Clock): Door {
  switch (path.kind) {
    case 'public':
      return new PublicDoor(path.name, chain);
    case 'private':
      return new PrivateDoor(path.name, chain, new PrivateRelay(path, clock), path.blocks);
  }
}

/** The doors of `execution.paths`. The first one takes what is sent for the first time. */
export class Doors {
  readonly first: Door;

  /** @throws StartupError when there is none. */
  constructor(private readonly all: readonly Door[]) {
    const [first] = all;
    if (!first) throw new StartupError(['execution.paths: is empty; at least one path was expected']);
    this.first = first;
  }

  static of(paths: readonly Path[], chain: Chain, clock: Clock): Doors {
    return new Doors(paths.map((path) => doorOf(path, chain, clock)));
  }

  /**
   * The door of a transaction that has a row. No other door may take its place: what was meant for a private
   * one would become public.
   *
   * @param name undefined for a row from before doors had names: it left by the public one.
   * @throws HaltError when the configuration does not have it.
   */
  named(name: string | undefined): Door {
    const door = this.all.find((one) => (name === undefined ? one instanceof PublicDoor : one.name === name));
    if (door) return door;
    const path = name === undefined ? 'the public path' : `the path "${name}"`;
    throw new HaltError(
      `a transaction in flight left by ${path}, which execution.paths does not name: give the path this name again until the transaction is settled`,
    );
  }
}
