import { Global, Module } from '@nestjs/common';
import { Clock } from '../src/domain/clock.js';
import { Events } from '../src/domain/events/events.js';
import { RecordedEvents } from './fakes/recorded-events.js';

/** The global providers of MonitoringModule, for tests of a module without it. */
@Global()
@Module({ providers: [Clock, { provide: Events, useClass: RecordedEvents }], exports: [Clock, Events] })
export class Ambient {}
