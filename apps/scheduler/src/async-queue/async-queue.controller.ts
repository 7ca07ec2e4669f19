import { Controller, Get, Inject } from '@nestjs/common';
import { AsyncQueue, type QueueReport } from './async-queue.service.js';

@Controller()
export class AsyncQueueController {
  constructor(@Inject(AsyncQueue) private readonly queue: AsyncQueue) {}

  /** How many events there are, and where. */
  @Get('queue')
  report(): Promise<QueueReport> {
    return this.queue.report();
  }
}
