import { lstat, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { jailed } from './jail.js';
import { ImageError } from './oci.errors.js';
import { LAYOUT_NAME, MAX_UNPACKED_BYTES } from './oci.types.js';
import { missingImageTools } from './required-tools.js';
import { runTool, type ToolRun } from './tool.process.js';

export interface UnpackOptions {
  /** Names the image in errors. */
  readonly image: string;
  readonly signal?: AbortSignal;
  /** Default: MAX_UNPACKED_BYTES. */
  readonly maxBytes?: number;
}

/**
 * Flattens the image of a layout folder (`ImageRegistry.pull`) into a new folder: layers over one another, what they
 * delete gone. Layers cannot reach out of the folder. What comes out can be read by everyone and written by us alone; nothing is
 * set-user-id, and device nodes are plain files.
 * @returns bytes on disk
 * @throws ImageError; nothing of the folder is left then
 */
export async function unpackImage(layout: string, target: string, options: UnpackOptions): Promise<number> {
  const maxBytes = options.maxBytes ?? MAX_UNPACKED_BYTES;
  const [root, out] = [`${target}.jail`, `${target}.out`];
  try {
    await Promise.all([mkdir(root), mkdir(out)]);
    // Rootless: owners and device nodes are not made, which instances could not make use of.
    const unpack = ['umoci', 'raw', 'unpack', '--rootless', '--image', `/layout:${LAYOUT_NAME}`, '/out/root'];
    await run(jailed(unpack, { root, layout, out }), options, maxBytes);
    const made = join(out, 'root');
    if (!(await isFolder(made)))
      throw new ImageError('broken', options.image, 'its layers leave no root folder');
    // Neither follows links.
    await run(['chmod', ['-R', 'u=rwX,go=rX', made]], options);
    const used = await run(['du', ['-sk', made]], options);
    const bytes = Number.parseInt(used.toString(), 10) * 1024;
    if (bytes > maxBytes) throw tooLarge(options.image, maxBytes);
    await rename(made, target);
    return bytes;
  } finally {
    await Promise.all([root, out].map((folder) => rm(folder, { recursive: true, force: true })));
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

async function run(
  [program, args]: [string, readonly string[]],
  { image, signal }: UnpackOptions,
  maxWrittenBytes?: number,
): Promise<Buffer> {
  const limits: ToolRun = { ...(signal && { signal }), ...(maxWrittenBytes && { maxWrittenBytes }) };
  const outcome = await runTool(program, args, limits);
  switch (outcome.kind) {
    case 'done':
      return outcome.stdout;
    case 'missing':
      throw new ImageError('tools-missing', image, `there is no program ${program}`);
    case 'timed-out':
      throw new ImageError('timed-out', image, 'it could not be unpacked in time');
    case 'cancelled':
      throw new ImageError('cancelled', image, 'nobody waits for it any more');
    case 'wrote-too-much':
      throw tooLarge(image, maxWrittenBytes ?? 0);
    case 'failed': {
      const missing = await missingImageTools(['umoci']);
      if (missing !== undefined) throw new ImageError('tools-missing', image, missing);
      throw new ImageError('broken', image, `its layers cannot be unpacked (${outcome.message})`);
    }
  }
}

function tooLarge(image: string, maxBytes: number): ImageError {
  return new ImageError(
    'too-large',
    image,
    `it unpacks to more than ${Math.floor(maxBytes / 1024 / 1024)} MB`,
  );
}
