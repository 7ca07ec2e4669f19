import { readFile } from 'node:fs/promises';
import { PlatformError } from '@openscf/contracts';
import { z } from 'zod';

const runtimeSchema = z.object({
  name: z.string(),
  language: z.string(),
  version: z.string(),
  command: z.array(z.string()).min(1),
  env: z.record(z.string(), z.string()),
  mounts: z.array(z.object({ source: z.string(), target: z.string(), readOnly: z.boolean() })),
});
const manifestSchema = z.object({ rootfs: z.string(), runtimes: z.array(runtimeSchema) });

/** A runtime as instances are started with it. */
export type Runtime = z.infer<typeof runtimeSchema> & { readonly rootfs: string };

class RuntimesMissingError extends PlatformError {
  constructor(path: string, cause: unknown) {
    super(`the list of runtimes ${path} cannot be read; \`node infra/runtimes/prepare.ts\` makes it`, {
      code: 'InternalError.System',
      fault: 'platform',
      retryable: false,
      info: { path },
      cause,
    });
  }
}

/** The runtimes that were prepared on this host. */
export class RuntimeCatalog {
  private constructor(private readonly runtimes: ReadonlyMap<string, Runtime>) {}

  /** @throws RuntimesMissingError */
  static async load(path: string): Promise<RuntimeCatalog> {
    try {
      const { rootfs, runtimes } = manifestSchema.parse(JSON.parse(await readFile(path, 'utf8')));
      return new RuntimeCatalog(new Map(runtimes.map((runtime) => [runtime.name, { ...runtime, rootfs }])));
    } catch (error) {
      throw new RuntimesMissingError(path, error);
    }
  }

  get names(): string[] {
    return [...this.runtimes.keys()];
  }

  get(name: string): Runtime | undefined {
    return this.runtimes.get(name);
  }
}
