import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { Command, CommandReply } from '@openscf/contracts';
import { PackagesService } from '../packages/packages.service.js';
import { requestOf } from '../request.policy.js';
import { LayersService } from './layers.service.js';

/** The actions on layers. */
@Controller()
export class LayersController {
  constructor(
    private readonly layers: LayersService,
    private readonly packages: PackagesService,
  ) {}

  @MessagePattern('PublishLayerVersion')
  publishLayerVersion(@Payload() command: Command): Promise<CommandReply> {
    return this.packages.withUpload(command.upload, async () => {
      const request = requestOf('PublishLayerVersion', command);
      const LayerVersion = await this.layers.publish(request, command.upload);
      return { ok: true, response: { LayerVersion }, written: [] };
    });
  }

  @MessagePattern('GetLayerVersion')
  async getLayerVersion(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('GetLayerVersion', command);
    return { ok: true, response: await this.layers.get(request), written: [] };
  }

  @MessagePattern('ListLayers')
  async listLayers(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('ListLayers', command);
    return { ok: true, response: await this.layers.list(request), written: [] };
  }

  @MessagePattern('ListLayerVersions')
  async listLayerVersions(@Payload() command: Command): Promise<CommandReply> {
    const request = requestOf('ListLayerVersions', command);
    return { ok: true, response: await this.layers.listVersions(request), written: [] };
  }

  @MessagePattern('DeleteLayerVersion')
  async deleteLayerVersion(@Payload() command: Command): Promise<CommandReply> {
    await this.layers.delete(requestOf('DeleteLayerVersion', command));
    return { ok: true, response: {}, written: [] };
  }
}
