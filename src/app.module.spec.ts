import { Injectable, Module, type INestApplication } from '@nestjs/common';
import { ModuleRef, ModulesContainer, NestFactory } from '@nestjs/core';
import { expect, it } from 'vitest';
import { KEY, LEAST, VARIABLES } from '../testing/configuration.js';
import { AppModule } from './app.module.js';
import { parseConfig } from './config/index.js';
import { Clock } from './domain/clock.js';

/** Nest looks up what each part needs, and builds none of it: no chain, no database. */
const compose = (module: Parameters<typeof NestFactory.create>[0]): Promise<INestApplication> =>
  NestFactory.create(module, { preview: true, abortOnError: false, logger: false });

const chimera = (): Promise<INestApplication> =>
  compose(AppModule.forRoot(parseConfig(LEAST, { ...VARIABLES, OPERATOR_PRIVATE_KEY: KEY })));

/** Parts that Nest would build without everything they ask for, and without a word. */
function calledWithTooLittle(app: INestApplication): string[] {
  return [...app.get(ModulesContainer).values()]
    .flatMap(({ providers, controllers, injectables }) => [
      ...providers.values(),
      ...controllers.values(),
      ...injectables.values(),
    ])
    .flatMap(({ name, token, metatype, inject }) => {
      // A value is built already, and Nest builds the reference of each module itself.
      if (typeof metatype !== 'function' || token === ModuleRef) return [];
      const given: unknown = inject ?? Reflect.getMetadata('design:paramtypes', metatype) ?? [];
      return Array.isArray(given) && given.length >= metatype.length ? [] : [String(name)];
    });
}

it('every module can be composed: each part finds what its constructor asks for', async () => {
  const app = await chimera();
  expect(calledWithTooLittle(app)).toEqual([]);
  await app.close();
});

it.each<[string, abstract new (...needs: never[]) => object]>([
  ['a part of a class', takesPart()],
  ['a default without a type', takesDefault()],
  ['a class that no module provides', takesForeign()],
])('a constructor that asks for %s is noticed', async (_what, part) => {
  @Module({ providers: [Clock, part as never] })
  class Broken {}
  await expect(compose(Broken)).rejects.toThrow(/Nest can't resolve dependencies/);
});

it('a class without a decorator, and a factory that names too little, are noticed', async () => {
  class Undecorated {
    constructor(readonly clock: Clock) {}
  }
  @Module({
    providers: [
      Clock,
      Undecorated,
      { provide: 'forgetful', inject: [], useFactory: (clock: Clock) => clock.wallMs() },
    ],
  })
  class Broken {}
  const app = await compose(Broken);
  expect(calledWithTooLittle(app)).toEqual(['Undecorated', 'forgetful']);
});

function takesPart(): new (clock: Pick<Clock, 'monotonicMs'>) => object {
  @Injectable()
  class TakesPart {
    constructor(readonly clock: Pick<Clock, 'monotonicMs'>) {}
  }
  return TakesPart;
}

function takesDefault(): new (clock?: Clock) => object {
  @Injectable()
  class TakesDefault {
    constructor(readonly clock = new Clock()) {}
  }
  return TakesDefault;
}

function takesForeign(): new (config: Map<string, string>) => object {
  @Injectable()
  class TakesForeign {
    constructor(readonly config: Map<string, string>) {}
  }
  return TakesForeign;
}
