import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { operatorPrivateKey, startDevnet, type Devnet } from '../devnet/index.js';
import { botConfig, newApiKeys, type BotSettings } from '../devnet/stack/bot-config.js';
import { checkUp } from '../src/doctor/doctor.js';
import type { Area, Looked, Verdict } from '../src/doctor/finding.js';
import { Clock } from '../src/domain/clock.js';
import type { Events } from '../src/domain/events/events.js';
import { TestDatabase } from './database.js';
import { standIn } from './fakes/stand-in.js';

/** What differs from a bot that has all it needs. */
export interface Defect {
  readonly settings?: BotSettings;
  readonly yaml?: (yaml: string) => string;
  readonly variables?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  readonly live?: boolean;
}

/** A chain and a database for the check-up. */
export class CheckUpWorld {
  private constructor(
    readonly devnet: Devnet,
    readonly database: TestDatabase,
    readonly dir: string,
  ) {}

  static async start(): Promise<CheckUpWorld> {
    const [devnet, database] = await Promise.all([startDevnet(), TestDatabase.start()]);
    return new CheckUpWorld(devnet, database, mkdtempSync(join(tmpdir(), 'chimera-doctor-')));
  }

  async stop(): Promise<void> {
    await Promise.all([this.devnet.stop(), this.database.stop()]);
    rmSync(this.dir, { recursive: true, force: true });
  }

  looked({ settings = {}, yaml, variables, clock = new Clock(), live = false }: Defect = {}): Promise<
    Looked[]
  > {
    const { host, port, user, password, database: name } = this.database.server;
    const place = { host, port, database: name, journalDir: this.dir };
    const file = join(this.dir, 'config.yaml');
    const wide = { rpcUrl: this.devnet.rpcUrl, mode: 'dry-run', ...settings } as const;
    const text = botConfig(this.devnet, place, newApiKeys(), wide);
    writeFileSync(file, yaml ? yaml(text) : text);
    const given = { OPERATOR_PRIVATE_KEY: operatorPrivateKey, DB_USER: user, DB_PASSWORD: password.reveal() };
    const events = standIn<Events>('Events', { emit: () => undefined });
    const from = { file, directory: this.dir, variables: { ...given, ...variables } };
    return checkUp(from, { clock, events, live });
  }

  async found(defect: Defect, area: Area, name: string): Promise<Looked[]> {
    return (await this.looked(defect)).filter((one) => one.area === area && one.name === name);
  }

  /** One finding has the verdict, and the pattern matches what was found, an arrow, and the cure. */
  async expectFound(
    defect: Defect,
    [area, name, verdict]: readonly [Area, string, Verdict],
    expected: RegExp,
  ): Promise<void> {
    const findings = await this.found(defect, area, name);
    expect(findings.map((one) => [one.verdict, `${one.found} → ${one.cure ?? ''}`])).toContainEqual([
      verdict,
      expect.stringMatching(expected),
    ]);
  }

  /** Changes the chain, looks, and takes the change back. */
  async at(change: () => Promise<unknown>, look: () => Promise<void>): Promise<void> {
    const clean = await this.devnet.snapshot();
    try {
      await change();
      await look();
    } finally {
      await this.devnet.revert(clean);
    }
  }

  async anHourPasses(): Promise<void> {
    await this.devnet.increaseTime(3_600);
    await this.devnet.mine();
  }
}

/** A change of the configuration's text, which must find its place. */
export const replaced =
  (from: string | RegExp, to: string) =>
  (yaml: string): string => {
    expect(yaml).toMatch(from);
    return yaml.replace(from, to);
  };
