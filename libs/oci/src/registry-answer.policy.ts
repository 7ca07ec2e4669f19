import type { ImageErrorReason } from './oci.errors.js';

/** What skopeo's complaints say, in the order in which they are asked; texts of registries, of Go and of containers/image. */
const SIGNS: readonly (readonly [RegExp, ImageErrorReason])[] = [
  [/no image found in (?:manifest list|image index)|does not match/i, 'wrong-platform'],
  [/manifest unknown|name unknown|repository name not known|blob unknown|\b404\b|not found/i, 'not-found'],
  [/unauthorized|authentication required|access .*denied|\bdenied\b|forbidden|\b40[13]\b/i, 'unauthorized'],
  [/invalid username\/password|unable to retrieve auth token/i, 'unauthorized'],
  [/x509|certificate|tls:|HTTP response to HTTPS client/i, 'unreachable'],
  [/dial |lookup |connection re|no such host|timeout|deadline exceeded|unreachable|no route/i, 'unreachable'],
  [/pinging container registry|\bEOF\b|status: 5\d\d|\b50[0234]\b|toomanyrequests|\b429\b/i, 'unreachable'],
];

/** Why a registry did not give an image, from the text that skopeo ended with. */
export function reasonOfComplaint(message: string): ImageErrorReason {
  // A host that is not found is not an image that is not found.
  if (/no such host|server misbehaving/i.test(message)) return 'unreachable';
  return SIGNS.find(([sign]) => sign.test(message))?.[1] ?? 'broken';
}

const SAID: Partial<Record<ImageErrorReason, string>> = {
  'not-found': 'the registry has no such image',
  unauthorized:
    'the registry refuses access: it needs other credentials (OPENSCF_REGISTRY_AUTH_FILE), or there is no such repository',
  unreachable: 'the registry cannot be reached',
  'wrong-platform': 'there is no image for this host',
  broken: 'it cannot be used',
};

/** A sentence for people, with what the program said. */
export function sentenceFor(reason: ImageErrorReason, message: string): string {
  const said = SAID[reason];
  return said === undefined ? message : `${said} (${message})`;
}
