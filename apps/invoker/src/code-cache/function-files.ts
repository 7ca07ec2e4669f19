import type { CodePackage, FunctionState } from '@openscf/contracts';
import { CODE_ROOT } from '../instance/instance-plan.factory.js';
import type { InstanceFiles } from '../instance/instance.types.js';
import type { CodeLease } from './code-cache.js';

export interface FunctionFilesOptions {
  readonly codeCache: { acquire(code: CodePackage): Promise<CodeLease> };
}

/** Makes ready on the host what instances of a function see of it. */
export class FunctionFiles {
  constructor(private readonly options: FunctionFilesOptions) {}

  async acquire({ code }: FunctionState): Promise<InstanceFiles> {
    if (code.kind === 'image') throw new Error('this host cannot run images yet');
    const lease = await this.options.codeCache.acquire(code);
    return {
      mounts: [{ source: lease.directory, target: CODE_ROOT, readOnly: true }],
      release: lease.release,
    };
  }
}
