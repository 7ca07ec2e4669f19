import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

/** Go's own tests of what is written in Go. */
describe('go test', () => {
  it.each(['agent', 'go'])(
    '%s',
    async (module) => {
      const cwd = fileURLToPath(new URL(`../${module}`, import.meta.url));
      const { stdout } = await promisify(execFile)('go', ['test', '-timeout', '60s', './...'], { cwd });
      expect(stdout).toMatch(/^ok\s/m);
      const { stdout: unformatted } = await promisify(execFile)('gofmt', ['-l', '.'], { cwd });
      expect(unformatted).toBe('');
    },
    180_000,
  );
});
