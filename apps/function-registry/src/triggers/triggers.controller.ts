import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { Command, CommandReply } from '@openscf/contracts';
import { actions, parseShape } from '@openscf/scf-api';
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
    const request = parseShape(actions.CreateTrigger.request, command.request);
    const { info, written } = await this.triggers.create(request);
    return { ok: true, response: { TriggerInfo: info }, written };
  }

  @MessagePattern('ListTriggers')
  async listTriggers(@Payload() command: Command): Promise<CommandReply> {
    const request = parseShape(actions.ListTriggers.request, command.request);
    return { ok: true, response: await this.queries.list(request), written: [] };
  }

  @MessagePattern('UpdateTriggerStatus')
  async updateTriggerStatus(@Payload() command: Command): Promise<CommandReply> {
    const request = parseShape(actions.UpdateTriggerStatus.request, command.request);
    return { ok: true, response: {}, written: await this.triggers.updateStatus(request) };
  }

  @MessagePattern('DeleteTrigger')
  async deleteTrigger(@Payload() command: Command): Promise<CommandReply> {
    const request = parseShape(actions.DeleteTrigger.request, command.request);
    return { ok: true, response: {}, written: await this.triggers.delete(request) };
  }
}
