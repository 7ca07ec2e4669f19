import { describe, expect, it } from 'vitest';
import { reasonOfComplaint } from './registry-answer.policy.js';

/** What skopeo 1.9 printed for each. */
describe('what a complaint of skopeo says', () => {
  it.each([
    ['reading manifest 2 in 127.0.0.1:5000/a: manifest unknown: manifest unknown', 'not-found'],
    [
      'reading manifest 1 in 127.0.0.1:5000/b: name unknown: repository name not known to registry',
      'not-found',
    ],
    ['reading manifest 1 in 127.0.0.1:5000/a: unauthorized: authentication required', 'unauthorized'],
    [
      'reading manifest latest in docker.io/a/b: errors:\ndenied: requested access to the resource is denied',
      'unauthorized',
    ],
    [
      'unable to retrieve auth token: invalid username/password: unauthorized: incorrect username or password',
      'unauthorized',
    ],
    [
      'pinging container registry 127.0.0.1:1: Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
      'unreachable',
    ],
    [
      'pinging container registry r.invalid: Get "https://r.invalid/v2/": dial tcp: lookup r.invalid: no such host',
      'unreachable',
    ],
    [
      'pinging container registry 10.0.0.9:5000: Get "https://10.0.0.9:5000/v2/": http: server gave HTTP response to HTTPS client',
      'unreachable',
    ],
    [
      'pinging container registry r: Get "https://r/v2/": x509: certificate signed by unknown authority',
      'unreachable',
    ],
    [
      'choosing image instance: no image found in manifest list for architecture amd64, variant "", OS linux',
      'wrong-platform',
    ],
    ['writing blob: Digest did not match, expected sha256:1, got sha256:2', 'broken'],
  ])('%s', (message, reason) => {
    expect(reasonOfComplaint(message)).toBe(reason);
  });
});
