import { setTimeout as delay } from 'node:timers/promises';
import type { Server } from 'node:http';
import type { OnDrain } from '@openscf/service-kit';

const CHECK_EVERY_MS = 20;
/** Left of the deadline for the rest of the process. */
const RESERVE_MS = 1_000;

/**
 * The gateway's end: no new connections, requests that are under way are answered, each answer the last of its connection.
 */
/** What answers requests. */
export interface DrainedPart {
  readonly inFlight: number;
  draining: boolean;
}

export class GatewayDrain implements OnDrain {
  constructor(
    private readonly parts: readonly DrainedPart[],
    private readonly server: () => Pick<Server, 'close' | 'closeIdleConnections'>,
  ) {}

  async drain(deadlineMs: number): Promise<void> {
    for (const part of this.parts) part.draining = true;
    const server = this.server();
    server.close();
    while (this.parts.some(({ inFlight }) => inFlight > 0) && Date.now() < deadlineMs - RESERVE_MS)
      await delay(CHECK_EVERY_MS);
    server.closeIdleConnections();
  }
}
