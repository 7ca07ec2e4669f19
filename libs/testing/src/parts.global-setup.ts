import type { TestProject } from 'vitest/node';
import { addressOf, startOwnParts } from './parts.js';

/** Where a program of theirs must be made first, a run would be silent for minutes. */
const SAY_EVERY_MS = 10_000;

/** For vitest's `globalSetup`: one set of parts for all integration spec files of a run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  let doing = 'starting';
  const saying = setInterval(() => console.log(`parts of the tests: ${doing}`), SAY_EVERY_MS);
  const parts = await startOwnParts(['kafka', 'postgres', 'minio'], (now) => (doing = now)).finally(() =>
    clearInterval(saying),
  );
  project.provide('openscfParts', addressOf(parts));
  return () => parts.stop();
}
