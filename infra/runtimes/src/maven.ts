import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runDownload } from './run-command.ts';

/** Fetches one artifact (`group:name:version[:type[:classifier]]`) into an empty folder and returns its path. */
export async function copyArtifact(artifact: string, folder: string): Promise<string> {
  await runDownload('mvn', [
    '--batch-mode',
    '--quiet',
    'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy',
    `-Dartifact=${artifact}`,
    `-DoutputDirectory=${folder}`,
  ]);
  const jar = (await readdir(folder)).find((name) => name.endsWith('.jar'));
  if (!jar) throw new Error(`Maven copied no jar for ${artifact}`);
  return join(folder, jar);
}
