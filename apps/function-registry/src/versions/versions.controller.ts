import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { Command, CommandReply } from '@openscf/contracts';
import { functionNameOf } from '../functions/function-identity.policy.js';
import { requestOf } from '../request.policy.js';
import { VersionsService } from './versions.service.js';

/** The actions on versions. */
@Controller()
export class VersionsController {
  constructor(private readonly versions: VersionsService) {}

  @MessagePattern('PublishVersion')
  async publishVersion(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('PublishVersion', command);
    const { response, written } = await this.versions.publish(request);
    return { ok: true, response, written };
  }

  @MessagePattern('ListVersionByFunction')
  async listVersionByFunction(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('ListVersionByFunction', command);
    return { ok: true, response: await this.versions.list(request), written: [] };
  }

  @MessagePattern('DeleteFunctionVersion')
  async deleteFunctionVersion(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('DeleteFunctionVersion', command);
    const name = functionNameOf(request);
    return {
      ok: true,
      response: {},
      written: await this.versions.delete(name, request.Qualifier, request.ForceDelete),
    };
  }
}
