import { expect, it } from 'vitest';
import { weightOfShares } from './cgroup.js';
import { DriverPaths } from './driver-paths.js';
import { HostIds } from './host-ids.js';
import { mountPointsBelow } from './recovery.js';
import { instanceAddress } from './router.network.js';

it('knows its own network namespaces from those of an owner with a longer name', () => {
  const paths = new DriverPaths('a');
  expect(['openscf-a-r', 'openscf-a-12'].every((name) => paths.isNetworkNamespace(name))).toBe(true);
  expect(
    ['openscf-a-1-r', 'openscf-a-1-5', 'openscf-ab-1', 'other'].some((name) =>
      paths.isNetworkNamespace(name),
    ),
  ).toBe(false);
});

it('gives each instance an address of its own, outside of the router’s', () => {
  expect([0, 255, 256, 1000].map((slot) => instanceAddress(slot, 'egress'))).toEqual([
    '198.18.1.0',
    '198.18.1.255',
    '198.18.2.0',
    '198.18.4.232',
  ]);
});

it('gives living sandboxes ranges of ids that do not overlap, and uses them again', () => {
  const ids = new HostIds('a');
  const [first, second] = [ids.take(), ids.take()];
  expect(second.firstId - first.firstId).toBe(65_536);
  ids.giveBack(first);
  expect(ids.take()).toEqual(first);
  expect(first.firstId).toBeGreaterThanOrEqual(1_000_000_000);
});

it('finds the mounts below a folder, the innermost first', () => {
  const info = [
    '1 2 8:1 / /run rw - ext4',
    '3 1 8:1 / /run/o rw',
    '4 3 8:1 / /run/o/a rw',
    '5 4 8:1 / /run/o/a/b rw',
    '6 1 8:1 / /run/other rw',
  ];
  expect(mountPointsBelow('/run/o', info.join('\n'))).toEqual(['/run/o/a/b', '/run/o/a']);
});

it.each([
  [2, 1],
  [1024, 39],
  [262_144, 10_000],
])('turns %i shares into weight %i', (shares, weight) => {
  expect(weightOfShares(shares)).toBe(weight);
});
