// `npm start -- --detach`: starts the launcher once more, in a session of its own, shows what it says, and leaves when
// it is ready.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { lockHolder } from '../home/lock.ts';
import { runsAlready } from './addresses.ts';
import { openHome } from '../home/home.ts';
import { openLog } from '../supervisor/log-file.ts';
import type { Settings } from '../settings.ts';

export type DetachedMessage = { kind: 'text'; text: string } | { kind: 'ready' };

export function startDetached(settings: Settings, flags: string[]): Promise<number> {
  const home = openHome(settings.home);
  const holder = lockHolder(home.lockFile);
  if (holder !== undefined) {
    console.log(runsAlready(settings, holder.pid));
    return Promise.resolve(0);
  }
  const log = openLog(home.log('supervisor'));
  const handedOn = flags.filter((flag) => flag !== '--detach');
  const main = join(import.meta.dirname, '../main.ts');
  const launcher = spawn(process.execPath, [main, 'start', '--supervise', ...handedOn], {
    detached: true,
    cwd: '/',
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
  });
  log.close();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => launcher.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    launcher.on('error', reject);
    launcher.on('exit', (code) => resolve(code ?? 1));
    launcher.on('message', (message) => {
      const said = message as DetachedMessage;
      if (said.kind === 'text') return void process.stdout.write(said.text);
      launcher.send('go on alone', () => {
        launcher.disconnect();
        launcher.unref();
        process.stdout.write(
          'It goes on in the background: `npm run status` shows it, `npm stop` stops it.\n',
        );
        resolve(0);
      });
    });
  });
}
