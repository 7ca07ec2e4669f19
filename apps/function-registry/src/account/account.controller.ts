import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { Command, CommandReply } from '@openscf/contracts';
import { requestOf } from '../request.policy.js';
import { AccountQueries } from './account-queries.service.js';

/** The action on the account. */
@Controller()
export class AccountController {
  constructor(private readonly queries: AccountQueries) {}

  @MessagePattern('GetAccount')
  async getAccount(@Payload() command: Command): Promise<CommandReply> {
    requestOf('GetAccount', command);
    return { ok: true, response: await this.queries.get(), written: [] };
  }
}
