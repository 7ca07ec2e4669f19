import { parseArgs } from 'node:util';

/** `--write` and numbers by name, such as `--rounds 5`; what is not given has the default. */
export function benchOptions<N extends string>(
  defaults: Record<N, number>,
): Record<N, number> & { write: boolean } {
  const { values }: { values: Record<string, unknown> } = parseArgs({
    options: Object.fromEntries([
      ['write', { type: 'boolean' as const }],
      ...Object.keys(defaults).map((name) => [name, { type: 'string' as const }] as const),
    ]),
  });
  const read = Object.entries<number>(defaults).map(([name, fallback]) => {
    const text = values[name];
    const value = typeof text === 'string' ? Number(text) : fallback;
    if (Number.isNaN(value)) throw new Error(`--${name} ${String(text)} is not a number`);
    return [name, value] as const;
  });
  return { ...(Object.fromEntries(read) as Record<N, number>), write: values['write'] === true };
}
