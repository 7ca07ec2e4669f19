import { setTimeout as delay } from 'node:timers/promises';
import type { Server } from 'node:http';
import type { OnDrain } from '@openscf/service-kit';
import type { CloudApi } from './cloud-api.js';

const CHECK_EVERY_MS = 20;
/** Left of the deadline for the rest of the process. */
const RESERVE_MS = 1_000;

/**
 * The gateway's end: no new connections, requests that are under way are answered, each answer the last of its connection.
 */
export class GatewayDrain implements OnDrain {
  constructor(
    private readonly api: CloudApi,
    private readonly server: () => Pick<Server, 'close' | 'closeIdleConnections'>,
  ) {}

  async drain(deadlineMs: number): Promise<void> {
    this.api.draining = true;
    const server = this.server();
    server.close();
    while (this.api.inFlight > 0 && Date.now() < deadlineMs - RESERVE_MS) await delay(CHECK_EVERY_MS);
    server.closeIdleConnections();
  }
}
