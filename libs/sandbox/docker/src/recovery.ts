import { rm } from 'node:fs/promises';
import type Docker from 'dockerode';
import type { DriverNames } from './driver.names.js';

/** Removes everything that carries the owner's label. Containers first: a network in use cannot go. */
export async function removeEverything(
  docker: Docker,
  names: DriverNames,
  stateDirectory: string,
): Promise<void> {
  const { filters } = names;
  const containers = await docker.listContainers({ all: true, filters });
  await Promise.all(
    containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true }).catch(ignoreGone)),
  );
  for (const { Id } of await docker.listNetworks({ filters }))
    await docker.getNetwork(Id).remove().catch(ignoreGone);
  await rm(stateDirectory, { recursive: true, force: true });
}

/** 404: it is gone. 409: its removal is under way already, or it is in use. */
export function ignoreGone(error: { statusCode?: number }): void {
  if (error.statusCode !== 404 && error.statusCode !== 409) throw error;
}
