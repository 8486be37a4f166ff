import { Module } from '@nestjs/common';
import { Journals } from './journals.js';

/**
 * Keeps on the local disk what must survive kill -9 while the database is away. It must never hold a secret,
 * and never say that a record is kept before it is on the disk. It knows nothing of what its records mean.
 */
@Module({ providers: [Journals], exports: [Journals] })
export class JournalModule {}
