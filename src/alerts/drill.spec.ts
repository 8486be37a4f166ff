import { describe, expect, it } from 'vitest';
import { RULE_NAMES } from './alert-rules.js';
import { drillAlerts } from './drill.js';

describe('a drill', () => {
  it('has each alert once, which says of itself that it is a drill', () => {
    const alerts = drillAlerts('one');
    expect(alerts.map(({ rule }) => rule)).toEqual(RULE_NAMES);
    for (const { title, text, rule } of alerts) {
      expect(title, rule).toMatch(/^DRILL: [A-Z]/);
      expect(text, rule).toMatch(/^This is a drill\. Nothing is wrong.* for example: \S.{15,}$/);
      expect(text, rule).not.toMatch(/undefined|NaN|\?/);
    }
  });

  it('shares no key with an alert in earnest, nor with another drill', () => {
    const keys = [...drillAlerts('one'), ...drillAlerts('two')].map(({ key }) => key);
    expect(new Set(keys).size).toBe(2 * RULE_NAMES.length);
    for (const key of keys) expect(key).toMatch(/^drill-(one|two):/);
  });
});
