import { chmod, readFile, writeFile } from 'node:fs/promises';
import { INSTANCE_GID, INSTANCE_UID, RUN_DIRECTORY } from '@openscf/sandbox-api';
import { fileInRoot, folderInRoot } from './root-path.js';

/** What sandbox drivers and the invoker mount; a read-only root must have it all. */
const MOUNT_POINTS = [
  '/proc',
  '/sys',
  '/dev',
  RUN_DIRECTORY,
  '/var/user',
  '/var/lang',
  '/var/runtime/agent',
  '/opt',
  '/mnt',
];

/** SCF's name for the user that every instance runs as. */
const USER = 'qcloud';

export interface ImageRootSettings {
  /** Content of /etc/resolv.conf. */
  readonly resolvConf: string;
  /** Where the image's command starts; made when the image lacks it, as Docker does. */
  readonly workingDir: string;
}

/** Adds to an unpacked image what an instance needs of its root file system. */
export async function finishImageRoot(root: string, settings: ImageRootSettings): Promise<void> {
  for (const path of MOUNT_POINTS) await folderInRoot(root, path);
  await chmod(await folderInRoot(root, '/tmp'), 0o1777);
  // The drivers mount another one over it.
  await writeFile(await fileInRoot(root, '/etc/hosts'), '127.0.0.1\tlocalhost\n');
  await writeFile(await fileInRoot(root, '/etc/resolv.conf'), settings.resolvConf);
  await addEntry(
    root,
    '/etc/passwd',
    INSTANCE_UID,
    `${USER}:x:${INSTANCE_UID}:${INSTANCE_GID}::/tmp:/bin/sh`,
  );
  await addEntry(root, '/etc/group', INSTANCE_GID, `${USER}:x:${INSTANCE_GID}:`);
  await folderInRoot(root, settings.workingDir);
}

/** Programs look up who they are; an image may have somebody of that id already. */
async function addEntry(root: string, path: string, id: number, line: string): Promise<void> {
  const file = await fileInRoot(root, path);
  const content = await readFile(file, 'utf8').catch(() => '');
  if (content.split('\n').some((entry) => entry.split(':')[2] === String(id))) return;
  const separator = content === '' || content.endsWith('\n') ? '' : '\n';
  await writeFile(file, `${content}${separator}${line}\n`);
}
