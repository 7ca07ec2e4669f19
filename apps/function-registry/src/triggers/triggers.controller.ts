import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { Command, CommandReply } from '@openscf/contracts';
import { requestOf } from '../request.policy.js';
import { TriggerQueries } from './trigger-queries.service.js';
import { TriggersService } from './triggers.service.js';

/** The actions on triggers. */
@Controller()
export class TriggersController {
  constructor(
    private readonly triggers: TriggersService,
    private readonly queries: TriggerQueries,
  ) {}

  @MessagePattern('CreateTrigger')
  async createTrigger(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('CreateTrigger', command);
    const { info, written } = await this.triggers.create(request);
    return { ok: true, response: { TriggerInfo: info }, written };
  }

  @MessagePattern('ListTriggers')
  async listTriggers(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('ListTriggers', command);
    return { ok: true, response: await this.queries.list(request), written: [] };
  }

  @MessagePattern('UpdateTrigger')
  async updateTrigger(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('UpdateTrigger', command);
    return { ok: true, response: {}, written: await this.triggers.update(request) };
  }

  @MessagePattern('UpdateTriggerStatus')
  async updateTriggerStatus(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('UpdateTriggerStatus', command);
    return { ok: true, response: {}, written: await this.triggers.updateStatus(request) };
  }

  @MessagePattern('DeleteTrigger')
  async deleteTrigger(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('DeleteTrigger', command);
    return { ok: true, response: {}, written: await this.triggers.delete(request) };
  }
}
