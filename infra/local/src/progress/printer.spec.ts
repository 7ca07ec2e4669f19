import { describe, expect, it } from 'vitest';
import { LaunchError } from '../launch.errors.ts';
import { Printer } from './printer.ts';

function plainPrinter(): { printer: Printer; text: () => string } {
  let text = '';
  const write = (more: string) => void (text += more);
  return { printer: new Printer({ isTTY: false, columns: 80, write }, 2), text: () => text };
}

describe('Printer without a terminal', () => {
  it('counts the steps that are ready', async () => {
    const { printer, text } = plainPrinter();
    await Promise.all([printer.step('kafka', async () => {}), printer.step('postgres', async () => {})]);
    expect(text()).toMatch(/^\[1\/2\] kafka ready \d+\.\ds\n\[2\/2\] postgres ready \d+\.\ds\n$/);
  });

  it('says why a step failed, with the last lines of its log', async () => {
    const { printer, text } = plainPrinter();
    const work = async () => Promise.reject(new LaunchError('kafka ended at once.', ['line 1', 'line 2']));
    await expect(printer.step('kafka', work)).rejects.toThrow();
    expect(text()).toMatch(/✘ kafka failed after \d+\.\ds: kafka ended at once\.\n {4}line 1\n {4}line 2\n/);
  });

  it('says nothing of steps that fail because everything stops', async () => {
    const { printer, text } = plainPrinter();
    printer.hideFailures();
    await expect(printer.step('minio', () => Promise.reject(new Error('killed')))).rejects.toThrow();
    expect(text()).toBe('');
  });
});
