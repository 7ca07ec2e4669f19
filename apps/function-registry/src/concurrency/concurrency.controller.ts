import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { Command, CommandReply } from '@openscf/contracts';
import { requestOf } from '../request.policy.js';
import { ConcurrencyQueries } from './concurrency-queries.service.js';
import { ConcurrencyService } from './concurrency.service.js';

/** The actions on reserved and provisioned concurrency. */
@Controller()
export class ConcurrencyController {
  constructor(
    private readonly concurrency: ConcurrencyService,
    private readonly queries: ConcurrencyQueries,
  ) {}

  @MessagePattern('PutReservedConcurrencyConfig')
  async putReserved(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('PutReservedConcurrencyConfig', command);
    return { ok: true, response: {}, written: await this.concurrency.putReserved(request) };
  }

  @MessagePattern('GetReservedConcurrencyConfig')
  async getReserved(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('GetReservedConcurrencyConfig', command);
    return { ok: true, response: await this.queries.reserved(request), written: [] };
  }

  @MessagePattern('DeleteReservedConcurrencyConfig')
  async deleteReserved(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('DeleteReservedConcurrencyConfig', command);
    return { ok: true, response: {}, written: await this.concurrency.deleteReserved(request) };
  }

  @MessagePattern('PutProvisionedConcurrencyConfig')
  async putProvisioned(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('PutProvisionedConcurrencyConfig', command);
    return { ok: true, response: {}, written: await this.concurrency.putProvisioned(request) };
  }

  @MessagePattern('GetProvisionedConcurrencyConfig')
  async getProvisioned(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('GetProvisionedConcurrencyConfig', command);
    return { ok: true, response: await this.queries.provisioned(request), written: [] };
  }

  @MessagePattern('DeleteProvisionedConcurrencyConfig')
  async deleteProvisioned(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('DeleteProvisionedConcurrencyConfig', command);
    return { ok: true, response: {}, written: await this.concurrency.deleteProvisioned(request) };
  }
}
