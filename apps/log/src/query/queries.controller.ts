import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { Command, CommandReply } from '@openscf/contracts';
import { actions, formatDateTime, parseShape } from '@openscf/scf-api';
import { LogQueries } from './queries.service.js';

/** The actions on logs. */
@Controller()
export class QueriesController {
  constructor(@Inject(LogQueries) private readonly queries: LogQueries) {}

  @MessagePattern('GetFunctionLogs')
  async getFunctionLogs(@Payload() command: Command): Promise<CommandReply> {
    const request = parseShape(actions.GetFunctionLogs.request, withTimesAsText(command.request));
    return { ok: true, response: await this.queries.functionLogs(request), written: [] };
  }

  @MessagePattern('GetRequestStatus')
  async getRequestStatus(@Payload() command: Command): Promise<CommandReply> {
    const request = parseShape(actions.GetRequestStatus.request, withTimesAsText(command.request));
    return { ok: true, response: await this.queries.requestStatus(request), written: [] };
  }
}

/** The gateway has read the times already; the shape reads them from text. */
function withTimesAsText(request: Command['request']): Command['request'] {
  const times = ['StartTime', 'EndTime'].flatMap((name) => {
    const value = request[name];
    return typeof value === 'number' ? [[name, formatDateTime(value)]] : [];
  });
  return { ...request, ...Object.fromEntries(times) };
}
