// `npm start` in the foreground; with `forDetached` the same for the process that stays behind `--detach`.
import { mkdirSync, statfsSync } from 'node:fs';
import { endTools } from '../caches/tool.ts';
import { openHome, type Home } from '../home/home.ts';
import { tryLock } from '../home/lock.ts';
import { LaunchError } from '../launch.errors.ts';
import { PART_NAMES } from '../parts/parts.ts';
import { Platform, type PartsStart } from '../platform.ts';
import { checkPorts } from '../ports.ts';
import { Printer, type Screen } from '../progress/printer.ts';
import { buildServices } from '../services/build.ts';
import { prepareRuntimes } from '../services/runtimes.ts';
import { SERVICE_NAMES } from '../services/services.ts';
import type { Settings } from '../settings.ts';
import { sweepOrphans } from '../supervisor/supervisor.ts';
import { addresses, runsAlready } from './addresses.ts';
import { terminalScreen } from './terminal.ts';
import type { DetachedMessage } from './start-detached.ts';

export interface StartOptions {
  /** Kafka, PostgreSQL and MinIO without the services, which a developer runs by hand then. */
  partsOnly: boolean;
  withFirstLight: boolean;
  forDetached: boolean;
}

const FREE_BYTES_NEEDED = 2 * 2 ** 30;
/** Beside the parts and the services: the build, and the runtimes. */
const OTHER_STEPS = 2;

/** Resolves with the exit code when the platform has stopped. */
export async function start(settings: Settings, options: StartOptions): Promise<number> {
  const home = openHome(settings.home);
  const attempt = tryLock(home.lockFile);
  if (attempt.kind === 'held') {
    console.log(runsAlready(settings, attempt.holder.pid));
    return 0;
  }
  try {
    return await run(settings, home, options);
  } finally {
    attempt.lock.release();
  }
}

async function run(settings: Settings, home: Home, options: StartOptions): Promise<number> {
  const screen = options.forDetached ? parentScreen() : terminalScreen();
  const swept = await sweepOrphans(home);
  await checkPorts(settings.ports);
  checkSpace(settings.home, 'OPENSCF_HOME');
  checkSpace(settings.cache, 'OPENSCF_CACHE');
  const serviceSteps = options.partsOnly ? 0 : SERVICE_NAMES.length + OTHER_STEPS;
  const steps = PART_NAMES.length + serviceSteps + (options.withFirstLight ? 1 : 0);
  const printer = new Printer(screen, steps);
  if (swept > 0) printer.say(`Ended ${swept} processes that an earlier start had left behind.`);
  const platform = new Platform(settings, printer);
  const stopRequested = stopRequest(options.forDetached);
  const up = bringUp(platform, printer, settings, options);
  const stopped = stopRequested.promise.then((reason) => printer.say(`\n${reason}: stopping.`));
  try {
    const isUp = await Promise.race([
      up.then(
        () => true,
        () => false,
      ),
      stopped.then(() => true),
    ]);
    if (!isUp) return 1; // its step has said why
    if (options.forDetached) tell({ kind: 'ready' });
    await stopped;
    return 0;
  } finally {
    printer.hideFailures();
    stopRequested.onAgain(() => platform.supervisor.killAll());
    endTools();
    await platform.supervisor.stop((kind) => printer.say(`Stopping the ${kind}s.`));
    await up.catch(() => {}); // has failed, or fails now that what it waits for has ended
    printer.say('Stopped.');
  }
}

async function bringUp(
  platform: Platform,
  printer: Printer,
  settings: Settings,
  options: StartOptions,
): Promise<void> {
  platform.supervisor.onCrash((line) => printer.say(line));
  const parts = platform.startParts(PART_NAMES);
  const servicesUp = options.partsOnly ? undefined : bringUpServices(platform, printer, parts);
  await Promise.all([parts.up, servicesUp]);
  platform.supervisor.ready();
  if (options.withFirstLight) await lightFirst(platform, printer);
  printer.say(`\nOpenSCF is up.\n${addresses(settings)}`);
  if (!options.forDetached) printer.say('Ctrl-C stops it.');
}

/** Beside the parts, as soon as each of them has its programs: fetching and building them takes minutes the first time. */
async function bringUpServices(platform: Platform, printer: Printer, parts: PartsStart): Promise<void> {
  await Promise.all([
    parts.begun,
    printer.step('build of the services', buildServices),
    printer.step('root file systems and runtimes', (report) => prepareRuntimes(platform.settings, report)),
  ]);
  await platform.startServices(SERVICE_NAMES, parts);
}

/** A door that stays shut is said, and the platform left running: a person wants to look at it then. */
async function lightFirst(platform: Platform, printer: Printer): Promise<void> {
  const failed = await printer
    .step('first light', async (report) => {
      // Its clients take longer to load than the rest of the launcher, so that happens only here.
      const { firstLight } = await import('../first-light/first-light.ts');
      return firstLight(platform, printer, report);
    })
    .catch(() => 1);
  if (failed > 0)
    printer.say(`✘ First light: ${failed} failed, see above and the logs in ${platform.home.root}/logs.`);
}

function checkSpace(folder: string, variable: string): void {
  mkdirSync(folder, { recursive: true });
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= FREE_BYTES_NEEDED) return;
  const free = Math.floor((bavail * bsize) / 2 ** 20);
  throw new LaunchError(
    `The disk that holds ${folder} has ${free} MB free, but ${FREE_BYTES_NEEDED / 2 ** 20} MB are needed: free some, or move it with ${variable}.`,
  );
}

/** One request to end may arrive twice: a whole group of processes gets the signal, and npm hands its own on. */
const ONE_REQUEST_MS = 500;

/** Resolves at the first Ctrl-C, SIGTERM or SIGHUP, or when the process that started this one has gone. */
function stopRequest(forDetached: boolean): { promise: Promise<string>; onAgain(act: () => void): void } {
  const { promise, resolve } = Promise.withResolvers<string>();
  let again = () => {};
  let askedAt: number | undefined;
  const ask = (reason: string) => {
    askedAt ??= performance.now();
    if (performance.now() - askedAt > ONE_REQUEST_MS) again();
    resolve(reason);
  };
  process.on('SIGINT', () => ask('Interrupted'));
  process.on('SIGTERM', () => ask('Asked to end'));
  process.on('SIGHUP', () => ask('Terminal closed'));
  let ready = false;
  if (forDetached) process.on('message', (message) => (ready ||= message === 'go on alone'));
  process.on('disconnect', () => {
    if (!ready) ask('The process that started this one has gone');
  });
  return { promise, onAgain: (act) => (again = act) };
}

/** Behind --detach the text goes to the waiting parent, and to the log once the parent has gone. */
function parentScreen(): Screen {
  const write = (text: string) => {
    process.stdout.write(text);
    tell({ kind: 'text', text });
  };
  return { isTTY: false, columns: 120, write };
}

function tell(message: DetachedMessage): void {
  if (process.connected) process.send?.(message);
}
