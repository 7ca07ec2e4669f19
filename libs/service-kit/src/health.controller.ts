import { Controller, Get, HttpException, HttpStatus, Inject } from '@nestjs/common';
import { Readiness } from './readiness.service.js';

@Controller()
export class HealthController {
  constructor(@Inject(Readiness) private readonly readiness: Readiness) {}

  /** The process is alive. It says nothing of the parts it needs. */
  @Get('health')
  health(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** 200 when the service can do its work, 503 with what is missing when not. */
  @Get('ready')
  async ready(): Promise<{ status: 'ready'; checks: Readonly<Record<string, boolean>> }> {
    const { ready, checks } = await this.readiness.report();
    if (!ready) throw new HttpException({ status: 'not ready', checks }, HttpStatus.SERVICE_UNAVAILABLE);
    return { status: 'ready', checks };
  }
}
