import type { TestProject } from 'vitest/node';
import { addressOf, startOwnParts } from './parts.js';

/** For vitest's `globalSetup`: one set of parts for all integration spec files of a run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const parts = await startOwnParts(['kafka', 'postgres', 'minio']);
  project.provide('openscfParts', addressOf(parts));
  return () => parts.stop();
}
