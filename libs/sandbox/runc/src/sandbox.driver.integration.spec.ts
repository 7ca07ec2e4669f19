import { describeSandboxDriver, hostLeftovers } from '@openscf/sandbox-api/conformance';
import { createRuncDriver } from './index.js';

describeSandboxDriver('runc', {
  makeDriver: createRuncDriver,
  leftovers: hostLeftovers,
  soakStarts: 40,
  driverModule: new URL('./index.ts', import.meta.url).href,
  factoryName: 'createRuncDriver',
});
