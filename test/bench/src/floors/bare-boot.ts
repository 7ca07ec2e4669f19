import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FrameSocket, type Frame } from '@openscf/framing';
import { CLEAN_ENVIRONMENT } from '../measuring/program.ts';
import type { HostRuntime } from './runtime-manifest.ts';

/** Kinds of frames: libs/runtimes/README.md. */
const [HELLO, INIT, READY, INIT_FAILED, INVOKE, RESULT] = [1, 2, 3, 4, 5, 6];

/**
 * The same bootstrap as in an instance, started on the host: no sandbox, no network namespace, no limits.
 * @returns milliseconds from the start of the process to the first result
 */
export async function bareBoot(runtime: HostRuntime, codeRoot: string, handler: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'openscf-boot-'));
  const path = join(folder, 'channel.sock');
  const server = createServer();
  server.listen(path);
  await once(server, 'listening');
  const startedAt = performance.now();
  const [file, ...args] = runtime.command;
  const child = spawn(file, [...args, path], {
    env: { ...runtime.env, ...CLEAN_ENVIRONMENT },
    cwd: codeRoot,
    stdio: 'ignore',
  });
  try {
    const [socket] = (await once(server, 'connection')) as [Socket];
    await firstResult(socket, codeRoot, handler);
    return performance.now() - startedAt;
  } finally {
    child.kill('SIGKILL');
    server.close();
    await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

function firstResult(socket: Socket, codeRoot: string, handler: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const frames = new FrameSocket(socket, {
      onFrame: ({ kind, head }: Frame) => {
        if (kind === HELLO) frames.send(INIT, 0, { handler, codeRoot, context: {}, environment: {} });
        else if (kind === READY) frames.send(INVOKE, 1, { request_id: 'r' }, Buffer.from('{}'));
        else if (kind === RESULT) resolve();
        else if (kind === INIT_FAILED) reject(new Error(`init failed: ${head.toString()}`));
      },
      onClose: () => reject(new Error('the bootstrap has closed its channel')),
    });
  });
}
