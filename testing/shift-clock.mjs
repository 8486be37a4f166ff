/** Loaded into the bot by `node --import`: its clock is CLOCK_AHEAD_MS milliseconds ahead of the machine's. */
const aheadMs = Number(process.env.CLOCK_AHEAD_MS ?? 0);
const now = Date.now.bind(Date);

globalThis.Date = class extends Date {
  constructor(...args) {
    super(...(args.length > 0 ? args : [now() + aheadMs]));
  }

  static now() {
    return now() + aheadMs;
  }
};
