import { describe, expect, it } from 'vitest';
import { ExecutionWorld } from '../../../testing/execution-world.js';
import type { Bench } from '../../../testing/execution.js';
import { FakeDoor } from '../../../testing/fakes/fake-door.js';
import { HaltError, StartupError } from '../../domain/errors.js';
import { Secret } from '../../domain/secret.js';
import { Chain } from '../../rpc/chain/chain.js';
import { RpcPool } from '../../rpc/endpoints/rpc-pool.js';
import { Doors } from './doors.js';
import { PublicDoor } from './public-door.js';

describe('doors', { timeout: 60_000 }, () => {
  const world = ExecutionWorld.forThisFile();
  let bench: Bench;

  const rowOf = (nonce: number) => bench.outbox.find(31337, bench.signer.address, nonce);

  it('a transaction leaves by the first door and by no other, and its row and its event name the door', async () => {
    const [first, second] = [new FakeDoor('first'), new FakeDoor('second')];
    bench = await world.start({ doors: [first, second] });
    const submission = await bench.submit(1);
    if (submission.kind !== 'submitted') throw new Error('not submitted');
    expect(first.sent).toEqual([submission.hash]);
    expect(second.sent).toEqual([]);
    expect(await bench.chain.getTransaction(submission.hash)).toBeUndefined();
    expect(await rowOf(0)).toMatchObject({ door: 'first', hash: submission.hash });
    expect(bench.events.named('transaction-sent')).toMatchObject([{ door: 'first', nonce: 0 }]);
  });

  it('after a restart a transaction leaves by its own door again, not by the first one', async () => {
    const door = new FakeDoor('private');
    bench = await world.start({ doors: [door] });
    const submission = await bench.submit(1);
    if (submission.kind !== 'submitted') throw new Error('not submitted');
    const other = new FakeDoor('other');
    bench = await world.restart({ doors: [other, door] });
    expect(door.sent).toEqual([submission.hash, submission.hash]);
    expect(await bench.submit(2)).toMatchObject({ kind: 'submitted', nonce: 1 });
    expect(other.sent).toHaveLength(1);
    expect(await rowOf(1)).toMatchObject({ door: 'other' });
  });

  it('past its deadline a transaction is cancelled while its door has it, and dropped when the door has lost all versions', async () => {
    const door = new FakeDoor('private');
    bench = await world.start({ doors: [door] });
    const submission = await bench.submit(1);
    if (submission.kind !== 'submitted') throw new Error('not submitted');
    await bench.rpc('evm_increaseTime', [601]);
    await bench.mine();
    expect(await bench.settle()).toEqual([]);
    expect(door.asked).toEqual([submission.hash]);
    expect(bench.events.named('transaction-replaced')).toMatchObject([{ kind: 'cancellation' }]);
    door.holds = false;
    await bench.mine();
    expect(await bench.settle()).toEqual([]);
    bench.clock.putForward(13_000);
    expect(await bench.settle()).toMatchObject([{ status: 'dropped' }]);
    expect(await bench.outboxOf(0)).toBe('dropped');
  });

  it('a row whose door the configuration no longer names halts the start, and nothing is sent by another door', async () => {
    bench = await world.start({ doors: [new FakeDoor('private')] });
    const submission = await bench.submit(1);
    if (submission.kind !== 'submitted') throw new Error('not submitted');
    bench = await world.reopen({ doors: [new FakeDoor('other')] });
    const recovered = bench.execution.recover();
    await expect(recovered).rejects.toBeInstanceOf(HaltError);
    await expect(recovered).rejects.toThrow(/path "private", which execution.paths does not name/);
    expect(bench.settings.doors).toMatchObject([{ sent: [] }]);
  });

  it('a row from before doors had names leaves by the public door, whatever its path is called now', async () => {
    bench = await world.start({ doors: [new FakeDoor('public')] });
    const submission = await bench.submit(1);
    if (submission.kind !== 'submitted') throw new Error('not submitted');
    expect(await bench.chain.getTransaction(submission.hash)).toBeUndefined();
    await bench.dataSource.query('UPDATE transactions SET door = NULL');
    const pool = new RpcPool({ chainId: 31337, primary: { http: new Secret(bench.settings.rpcUrl) } });
    const main = new PublicDoor('main', new Chain(pool));
    bench = await world.restart({ doors: [new FakeDoor('other'), main] });
    expect(await bench.chain.getTransaction(submission.hash)).toMatchObject({ hash: submission.hash });
    pool.close();
  });

  it('a settled transaction does not need its door any more', async () => {
    bench = await world.start();
    await bench.submit(1);
    await bench.mine(2);
    expect(await bench.settle()).toHaveLength(1);
    bench = await world.restart({ doors: [new FakeDoor('renamed')] });
    expect(bench.execution.inFlight().size).toBe(0);
  });

  it('there must be at least one', () => {
    expect(() => new Doors([])).toThrow(StartupError);
  });
});
