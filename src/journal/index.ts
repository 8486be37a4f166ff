export { Journal, type JournalEntry, type JournalOptions } from './journal.js';
export { JournalModule } from './journal.module.js';
export { Journals } from './journals.js';
export { fieldsOf, numberOf, textOf, type Fields } from './fields.js';
