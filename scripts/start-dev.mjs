/**
 * `npm run start:dev`: compiles into dist/ at every change of the sources. After each compilation without an
 * error the bot is asked to end (SIGTERM), and the new one starts when the old one has ended: two bots never
 * share a wallet or a database.
 *
 * Not `nest start --watch`: it signals the children of the bot too, and so stops an embedded PostgreSQL under
 * a bot that still writes its last rows.
 */
import { spawn } from 'node:child_process';
import ts from 'typescript';

const CONFIG = 'tsconfig.build.json';
const BOT = ['--enable-source-maps', '--max-old-space-size=1024', 'dist/src/main.js'];

/** The bot's process while it runs, and whether it is to be replaced when it has ended. */
let bot;
let replace = false;

function start() {
  replace = false;
  bot = spawn(process.execPath, BOT, { stdio: 'inherit' });
  bot.once('exit', (code, signal) => {
    bot = undefined;
    if (replace) start();
    else console.log(`the bot has ended with ${signal ?? code}; it starts again after the next change`);
  });
}

function restart() {
  if (!bot) return start();
  replace = true;
  bot.kill('SIGTERM');
}

function end(signal) {
  if (!bot) process.exit(0);
  bot.removeAllListeners('exit');
  bot.once('exit', (code) => process.exit(code ?? 1));
  bot.kill(signal);
}

const format = {
  getCurrentDirectory: ts.sys.getCurrentDirectory,
  getCanonicalFileName: (name) => name,
  getNewLine: () => ts.sys.newLine,
};

ts.createWatchProgram(
  ts.createWatchCompilerHost(
    CONFIG,
    {},
    ts.sys,
    ts.createEmitAndSemanticDiagnosticsBuilderProgram,
    (problem) => console.error(ts.formatDiagnosticsWithColorAndContext([problem], format)),
    (status, _newLine, _options, errors) => {
      console.log(ts.flattenDiagnosticMessageText(status.messageText, ts.sys.newLine));
      if (errors === 0) restart();
    },
  ),
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => end(signal));
