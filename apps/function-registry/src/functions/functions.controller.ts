import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { Command, CommandReply } from '@openscf/contracts';
import { requestOf } from '../request.policy.js';
import { PackagesService } from '../packages/packages.service.js';
import { VersionsService } from '../versions/versions.service.js';
import { deletableVersionOf, functionNameOf } from './function-identity.policy.js';
import { FunctionQueries } from './function-queries.service.js';
import { FunctionsService } from './functions.service.js';

/** The actions on functions. */
@Controller()
export class FunctionsController {
  constructor(
    private readonly functions: FunctionsService,
    private readonly queries: FunctionQueries,
    private readonly versions: VersionsService,
    private readonly packages: PackagesService,
  ) {}

  @MessagePattern('CreateFunction')
  createFunction(@Payload() command: Command): Promise<CommandReply> {
    return this.packages.withUpload(command.upload, async () => {
      const request = requestOf('CreateFunction', command);
      return { ok: true, response: {}, written: await this.functions.create(request, command.upload) };
    });
  }

  @MessagePattern('UpdateFunctionCode')
  updateFunctionCode(@Payload() command: Command): Promise<CommandReply> {
    return this.packages.withUpload(command.upload, async () => {
      const request = requestOf('UpdateFunctionCode', command);
      return { ok: true, response: {}, written: await this.functions.updateCode(request, command.upload) };
    });
  }

  @MessagePattern('UpdateFunctionConfiguration')
  async updateFunctionConfiguration(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('UpdateFunctionConfiguration', command);
    return { ok: true, response: {}, written: await this.functions.updateConfiguration(request) };
  }

  @MessagePattern('DeleteFunction')
  async deleteFunction(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('DeleteFunction', command);
    const name = functionNameOf(request);
    const version = deletableVersionOf(name, request.Qualifier);
    const written =
      version === undefined ? this.functions.delete(name) : this.versions.delete(name, version, false);
    return { ok: true, response: {}, written: await written };
  }

  @MessagePattern('GetFunction')
  async getFunction(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('GetFunction', command);
    return { ok: true, response: await this.queries.get(request), written: [] };
  }

  @MessagePattern('ListFunctions')
  async listFunctions(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('ListFunctions', command);
    return { ok: true, response: await this.queries.list(request), written: [] };
  }

  @MessagePattern('GetFunctionAddress')
  async getFunctionAddress(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('GetFunctionAddress', command);
    return { ok: true, response: await this.queries.address(request), written: [] };
  }
}
