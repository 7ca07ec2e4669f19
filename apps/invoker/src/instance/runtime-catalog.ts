import { readFile } from 'node:fs/promises';
import { PlatformError } from '@openscf/contracts';
import { z } from 'zod';

const runtimeSchema = z.object({
  name: z.string(),
  language: z.string(),
  version: z.string(),
  command: z.tuple([z.string()], z.string()),
  env: z.record(z.string(), z.string()),
  mounts: z.array(z.object({ source: z.string(), target: z.string(), readOnly: z.boolean() })),
});
const manifestSchema = z.object({
  rootfs: z.string(),
  /** Host folder of the agent (libs/runtimes/agent), where it was made. */
  agent: z.string().optional(),
  /** Host path of the program that starts sandboxes (libs/sandbox/launcher), where it was made. */
  launcher: z.string().optional(),
  runtimes: z.array(runtimeSchema),
  /** API names that this host cannot start, with what is missing. */
  missing: z.record(z.string(), z.string()).default({}),
});
type Manifest = z.infer<typeof manifestSchema>;

/** A runtime as instances are started with it. */
export type Runtime = z.infer<typeof runtimeSchema> & { readonly rootfs: string; readonly agent?: string };

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
  private readonly runtimes: ReadonlyMap<string, Runtime>;

  private constructor(private readonly manifest: Manifest) {
    const { rootfs, agent, runtimes } = manifest;
    this.runtimes = new Map(
      runtimes.map((runtime) => [
        runtime.name,
        { ...runtime, rootfs, ...(agent !== undefined && { agent }) },
      ]),
    );
  }

  /** @throws RuntimesMissingError */
  static async load(path: string): Promise<RuntimeCatalog> {
    try {
      return new RuntimeCatalog(manifestSchema.parse(JSON.parse(await readFile(path, 'utf8'))));
    } catch (error) {
      throw new RuntimesMissingError(path, error);
    }
  }

  get names(): string[] {
    return [...this.runtimes.keys()];
  }

  /** Names that the API accepts and that cannot be started here, with why. */
  get missing(): Readonly<Record<string, string>> {
    return this.manifest.missing;
  }

  /** The agent's folder and the root file system, for instances that are of no runtime (images). */
  get host(): { readonly rootfs: string; readonly agent: string | undefined } {
    return { rootfs: this.manifest.rootfs, agent: this.manifest.agent };
  }

  /** Without it, runc starts sandboxes. */
  get launcherProgram(): string | undefined {
    return this.manifest.launcher;
  }

  get(name: string): Runtime | undefined {
    return this.runtimes.get(name);
  }
}
