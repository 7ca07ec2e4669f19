import type { ImageConfig } from '@openscf/oci';
import { describe, expect, it } from 'vitest';
import { imageCommand, imageEnvironment } from './image-command.policy.js';

const config: ImageConfig = {
  entrypoint: ['/entry'],
  cmd: ['serve', '--all'],
  env: { PATH: '/app/bin', 'not-a-name': 'x', ZERO: 'a\0b', GOOD: 'y' },
  workingDir: '/',
  user: '',
  platform: { os: 'linux', architecture: 'amd64' },
};

describe('what an image runs', () => {
  it.each([
    ['the image says', [], [], ['/entry', 'serve', '--all']],
    ['Args stand in for CMD', [], ['check'], ['/entry', 'check']],
    ['Command stands in for ENTRYPOINT, and its CMD goes too', ['node'], [], ['node']],
    ['both are the function’s', ['node'], ['index.js'], ['node', 'index.js']],
  ])('%s', (_name, command, args, expected) => {
    expect(imageCommand({ command, args }, config)).toEqual(expected);
  });

  it('has the variables of the image that a process can have, and those that it needs', () => {
    expect(imageEnvironment(config)).toEqual({ PATH: '/app/bin', HOME: '/tmp', GOOD: 'y' });
    expect(imageEnvironment({ ...config, env: {} })).toEqual({
      PATH: expect.stringContaining('/usr/bin'),
      HOME: '/tmp',
    });
  });
});
