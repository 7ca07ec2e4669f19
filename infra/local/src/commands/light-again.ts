import { openHome } from '../home/home.ts';
import { openKeys } from '../home/keys.ts';
import { Printer } from '../progress/printer.ts';
import type { Settings } from '../settings.ts';
import { terminalScreen } from './terminal.ts';

/** Fires hello through every door of a platform that runs with the ports and the home given. Exit code 1 if one fails. */
export async function lightAgain(settings: Settings): Promise<number> {
  const { firstLight } = await import('../first-light/first-light.ts');
  const printer = new Printer(terminalScreen(), 1);
  const keys = openKeys(openHome(settings.home));
  const failed = await printer.step('first light', (report) =>
    firstLight({ settings, keys }, printer, report),
  );
  return failed === 0 ? 0 : 1;
}
