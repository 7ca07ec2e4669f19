/** A runtime as infra/runtimes has written it down. */
export interface PreparedRuntime {
  name: string;
  language: string;
  version: string;
  command: [string, ...string[]];
  env: Record<string, string>;
  mounts: { source: string; target: string; readOnly: boolean }[];
  note?: string;
}

/** `<cache>/runtimes/runtimes.json`. */
export interface PreparedRuntimes {
  rootfs: string;
  runtimes: PreparedRuntime[];
  missing: Record<string, string>;
}
