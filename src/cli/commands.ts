import type { Command } from './command.js';

/** By its words. Each loads what it needs when it runs. */
export const COMMANDS: Readonly<Record<string, Command>> = {};
