import { expect, it } from 'vitest';
import { whatIsMissing } from './requirements.ts';

const isRootOnLinux = process.platform === 'linux' && process.getuid?.() === 0;

it('needs no program for what is there already', async () => {
  const missing = await whatIsMissing([]);
  if (isRootOnLinux) expect(missing).toBeUndefined();
  else expect(missing).toMatch(/Linux|root/);
});

it('names the Debian packages that bring what is missing', async () => {
  const path = process.env['PATH'];
  process.env['PATH'] = '/nowhere';
  const missing = await whatIsMissing(['root', 'npm', 'maven-cpython', 'agent']).finally(
    () => (process.env['PATH'] = path),
  );
  if (isRootOnLinux) expect(missing).toContain('mmdebstrap npm tar maven unzip golang-go');
  else expect(missing).toMatch(/Linux|root/);
});
