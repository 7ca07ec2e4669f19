import type { Provisioned } from '@openscf/contracts';
import { describe, expect, it } from 'vitest';
import { ProvisioningSchedule } from './schedule.policy.js';

const at = (text: string) => Date.parse(`2026-11-${text}Z`);
const setAt = at('02T12:00:00');

describe('the schedule of provisioned instances', () => {
  const day: Provisioned = {
    version: '1',
    instances: 3,
    setAt,
    schedule: [
      { name: 'up', cron: '0 0 9 * * MON-FRI *', instances: 50 },
      { name: 'down', cron: '0 30 18 * * * *', instances: 5 },
    ],
  };

  it('lets what fired last hold, and before that what was asked for', () => {
    const schedule = new ProvisioningSchedule();
    const holds = (text: string) => schedule.instances(day, at(text));
    // The 2nd of November 2026 is a Monday.
    expect(holds('02T12:00:00')).toBe(3);
    expect(holds('02T18:29:59.999')).toBe(3);
    expect(holds('02T18:30:00')).toBe(5);
    expect(holds('03T08:59:59.999')).toBe(5);
    expect(holds('03T09:00:00')).toBe(50);
    expect(holds('03T18:29:59')).toBe(50);
    // At the weekend nothing goes up.
    expect(holds('07T12:00:00')).toBe(5);
    expect(holds('02T13:00:00')).toBe(3);
  });

  it('is the same after a restart', () => {
    for (const text of ['02T18:30:00', '03T09:00:00.500', '04T03:00:00', '08T23:59:59']) {
      const running = new ProvisioningSchedule();
      for (let ms = setAt; ms < at(text); ms += 977_000) running.instances(day, ms);
      expect(running.instances(day, at(text))).toBe(new ProvisioningSchedule().instances(day, at(text)));
    }
  });

  it('knows a year that has passed and one that will not come again', () => {
    const once: Provisioned = {
      version: '1',
      instances: 1,
      schedule: [
        { name: 'past', cron: '0 0 0 1 1 * 2020', instances: 7 },
        { name: 'future', cron: '0 0 0 1 12 * 2026', instances: 9 },
      ],
    };
    const schedule = new ProvisioningSchedule();
    expect(schedule.instances(once, at('30T00:00:00'))).toBe(7);
    expect(schedule.instances(once, Date.parse('2026-12-01T00:00:00Z'))).toBe(9);
    expect(schedule.instances({ ...once, setAt }, at('30T00:00:00'))).toBe(1);
  });
});
