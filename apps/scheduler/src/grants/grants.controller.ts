import { Controller, Get, Inject } from '@nestjs/common';
import type { Grant } from '@openscf/contracts';
import { Grants } from './grants.service.js';

@Controller()
export class GrantsController {
  constructor(@Inject(Grants) private readonly grants: Grants) {}

  /** What each invoker was granted last, as this scheduler knows it. */
  @Get('grants')
  list(): Grant[] {
    return this.grants.current();
  }
}
