// The launcher: `start [--detach] [--no-first-light] [--parts-only]`, `stop`, `status`,
// `first-light` (fires hello through every door of a platform that runs, also of one from docker-compose). Reads the environment once, here.
import { start } from './commands/start.ts';
import { startDetached } from './commands/start-detached.ts';
import { status } from './commands/status.ts';
import { lightAgain } from './commands/light-again.ts';
import { stop } from './commands/stop.ts';
import { LaunchError, sentenceFor } from './launch.errors.ts';
import { settingsFrom, type Settings } from './settings.ts';

const FLAGS = ['--detach', '--no-first-light', '--parts-only', '--supervise'];

async function main(command: string | undefined, flags: string[]): Promise<number> {
  const unknown = flags.find((flag) => !FLAGS.includes(flag));
  if (unknown !== undefined)
    throw new LaunchError(
      `"${unknown}" is not known here: start takes --detach, --no-first-light and --parts-only.`,
    );
  const settings: Settings = settingsFrom(process.env);
  const partsOnly = flags.includes('--parts-only');
  const withFirstLight = !partsOnly && !flags.includes('--no-first-light');
  switch (command) {
    case 'start':
      return flags.includes('--detach')
        ? startDetached(settings, flags)
        : start(settings, { partsOnly, withFirstLight, forDetached: flags.includes('--supervise') });
    case 'first-light':
      return lightAgain(settings);
    case 'stop':
      return stop(settings);
    case 'status':
      return status(settings);
    default:
      throw new LaunchError(`"${command}" is not a command: there are start, stop, status and first-light.`);
  }
}

try {
  process.exitCode = await main(process.argv[2], process.argv.slice(3));
} catch (error) {
  console.error(`✘ ${sentenceFor(error)}`);
  for (const line of error instanceof LaunchError ? error.logTail : []) console.error(`    ${line}`);
  if (!(error instanceof LaunchError) && process.env['OPENSCF_LOG_LEVEL'] === 'debug') console.error(error);
  process.exitCode = 1;
}
if (process.connected) process.disconnect(); // nothing is left to do: the channel must not keep the process
