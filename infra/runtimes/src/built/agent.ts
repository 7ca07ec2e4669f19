import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { place } from '../place.ts';
import { buildGo } from './go.ts';
import type { Source } from './source.ts';

/** What is compiled into the agent; everything else of its folder goes beside it. */
const isCompiled = (path: string) => /(\.go|^go\.(mod|sum))$/.test(path);

/** The folder of the agent that is made from these sources. */
export const agentFolder = (root: string, { hash }: Source) => join(root, 'built', `agent-${hash}`);

/** What a complete folder is stamped with. */
export const agentStamp = ({ hash }: Source) => ({ hash, architecture: process.arch });

/** Builds the agent (libs/runtimes/agent), a static program, into a folder of its own with what it needs beside it. */
export async function makeAgent(
  root: string,
  sources: string,
  source: Source,
  report: (text: string) => void,
): Promise<string> {
  const folder = agentFolder(root, source);
  const made = await place(folder, agentStamp(source), async (temporary) => {
    report('building');
    await buildGo(sources, join(temporary, 'agent'));
    for (const path of source.paths.filter((name) => !isCompiled(name))) {
      await mkdir(dirname(join(temporary, path)), { recursive: true });
      await copyFile(join(sources, path), join(temporary, path));
    }
  });
  report(made ? 'made' : 'there already');
  return folder;
}
