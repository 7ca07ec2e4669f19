import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LaunchError } from '../launch.errors.ts';
import { cachedFolder, type Report } from './cache.ts';
import { findProgram, runTool } from './tool.ts';

const MINIO_MODULE = 'github.com/minio/minio';
const MINIO_VERSION = 'v0.0.0-20260212201848-7aac2a2c5b7c'; // the last commit of the archived repository; needs Go 1.24
const MINIO_IMAGE = 'minio/minio';

/** Path of a MinIO server: the installed one, else one taken out of its image, else one built from source, once. */
export async function minioProgram(cache: string, report: Report): Promise<string> {
  const installed = findProgram('minio');
  if (installed !== undefined) return installed;
  const folder = await cachedFolder(cache, `minio-${MINIO_VERSION.slice(-12)}`, report, async (draft) => {
    if (await takenFromImage(draft, report)) return;
    await build(draft, report);
  });
  return join(folder, 'minio');
}

async function takenFromImage(folder: string, report: Report): Promise<boolean> {
  if (process.platform !== 'linux' || findProgram('docker') === undefined) return false;
  try {
    await runTool('docker', ['info'], {});
    report('taking MinIO out of its image');
    const container = (await runTool('docker', ['create', MINIO_IMAGE], { onLine: report })).trim();
    await runTool('docker', ['cp', `${container}:/usr/bin/minio`, join(folder, 'minio')]);
    await runTool('docker', ['rm', container]);
    return existsSync(join(folder, 'minio'));
  } catch {
    return false; // no engine that runs, or none that can pull
  }
}

async function build(folder: string, report: Report): Promise<void> {
  const go = findProgram('go') ?? (existsSync('/usr/local/go/bin/go') ? '/usr/local/go/bin/go' : undefined);
  if (go === undefined) {
    throw new LaunchError(
      'MinIO must be built once, which takes Go 1.24 or newer: install Go, or put a "minio" program on the PATH.',
    );
  }
  report('building MinIO, once, about 5 minutes');
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  let fetched = 0;
  await runTool(go, ['install', '-v', '-ldflags', '-s -w', `${MINIO_MODULE}@${MINIO_VERSION}`], {
    env: { CGO_ENABLED: '0', GOBIN: bin, GOFLAGS: '-mod=mod' },
    onLine: (line) =>
      report(line.startsWith('go: downloading') ? `fetching modules (${++fetched})` : `compiling ${line}`),
  });
  copyFileSync(join(bin, 'minio'), join(folder, 'minio'));
}
