import { ImageError } from './oci.errors.js';

/** A place in a registry. With a digest the tag is a remark: the digest says what is meant. */
export interface ImageReference {
  /** Host, with its port where it has one. */
  readonly domain: string;
  /** Repository, such as `team/site`. */
  readonly path: string;
  readonly tag?: string;
  /** `sha256:<hex>` */
  readonly digest?: string;
}

const ACCEPTED = '{domain}/{namespace}/{name}:{tag}, with or without @sha256:{64 hex digits}';
const LONGEST = 4096;

/** Docker's own grammar (distribution/reference), with the digest of one algorithm. */
const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(String.raw`^(?:${LABEL}(?:\.${LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$`);
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Docker Hub, under which names without a registry stand. */
const DEFAULT_DOMAIN = 'docker.io';

/**
 * Reads `{domain}/{path}[:{tag}][@{digest}]`; a name without a domain is one of Docker Hub, and without tag and digest it is `latest`.
 * @throws ImageError `bad-reference`
 */
export function parseImageReference(text: string): ImageReference {
  const refuse = (what: string): never => {
    throw new ImageError(
      'bad-reference',
      JSON.stringify(text.slice(0, 256)),
      `${what}; accepted: ${ACCEPTED}`,
    );
  };
  if (text.length > LONGEST) refuse(`it has ${text.length} characters`);
  const [named = '', digest, ...more] = text.split('@');
  if (more.length > 0) refuse('it has more than one @');
  if (digest !== undefined && !DIGEST.test(digest)) refuse(`${JSON.stringify(digest)} is no digest`);
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !TAG.test(tag)) refuse(`${JSON.stringify(tag)} is no tag`);
  const { domain, path } = splitDomain(hasTag ? named.slice(0, colon) : named);
  if (!DOMAIN.test(domain)) refuse(`${JSON.stringify(domain)} is no domain`);
  if (!PATH.test(path)) refuse(`${JSON.stringify(path)} is no name of a repository`);
  if (digest !== undefined) return { domain, path, ...(tag !== undefined && { tag }), digest };
  return { domain, path, tag: tag ?? 'latest' };
}

/** What precedes the first slash is a domain when it cannot be a part of a repository's name. */
function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  if (/[.:[A-Z]/.test(first) || first === 'localhost') return { domain: first, path: name.slice(slash + 1) };
  return { domain: DEFAULT_DOMAIN, path: slash < 0 ? `library/${name}` : name };
}

/** As a registry is asked: by digest where there is one, else by tag. */
export function formatImageReference({ domain, path, tag, digest }: ImageReference): string {
  if (digest !== undefined) return `${domain}/${path}@${digest}`;
  return `${domain}/${path}:${tag ?? 'latest'}`;
}

/** A registry of this very host, which plain HTTP does not leave. */
export function isLoopbackRegistry(domain: string): boolean {
  const host = domain.replace(/:\d+$/, '');
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
