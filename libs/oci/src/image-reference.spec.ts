import { describe, expect, it } from 'vitest';
import { formatImageReference, isLoopbackRegistry, parseImageReference } from './image-reference.js';

const digest = `sha256:${'0a'.repeat(32)}`;

describe('image references', () => {
  it.each([
    ['registry.example.com/team/site:1.2', { domain: 'registry.example.com', path: 'team/site', tag: '1.2' }],
    ['127.0.0.1:5000/site', { domain: '127.0.0.1:5000', path: 'site', tag: 'latest' }],
    ['localhost/a/b/c:x', { domain: 'localhost', path: 'a/b/c', tag: 'x' }],
    ['[::1]:5000/site:1', { domain: '[::1]:5000', path: 'site', tag: '1' }],
    ['nginx', { domain: 'docker.io', path: 'library/nginx', tag: 'latest' }],
    ['team/site:2', { domain: 'docker.io', path: 'team/site', tag: '2' }],
    [`r.example/site@${digest}`, { domain: 'r.example', path: 'site', digest }],
    [`r.example:443/n/site:1@${digest}`, { domain: 'r.example:443', path: 'n/site', tag: '1', digest }],
  ])('reads %s', (text, reference) => {
    expect(parseImageReference(text)).toEqual(reference);
  });

  it.each([
    ['', 'is no name of a repository'],
    ['r.example/Site', '"Site" is no name of a repository'],
    ['r.example/site:', '"" is no tag'],
    ['r.example/site:-x', '"-x" is no tag'],
    ['r.example/site@sha256:abc', '"sha256:abc" is no digest'],
    [`r.example/site@${digest}@${digest}`, 'more than one @'],
    ['https://r.example/site', 'is no domain'],
    ['-r.example/site', 'is no domain'],
    ['r.example/../etc', 'is no name of a repository'],
    ['r.example/site --help', 'is no name of a repository'],
    [`r.example/${'a'.repeat(5000)}`, 'it has 5010 characters'],
  ])('refuses %j and says what is accepted', (text, why) => {
    expect(() => parseImageReference(text)).toThrow(why);
    expect(() => parseImageReference(text)).toThrow('accepted: {domain}/{namespace}/{name}:{tag}');
  });

  it('asks by digest where there is one', () => {
    expect(formatImageReference(parseImageReference(`r.example/site:1@${digest}`))).toBe(
      `r.example/site@${digest}`,
    );
    expect(formatImageReference(parseImageReference('site'))).toBe('docker.io/library/site:latest');
  });

  it.each([
    ['127.0.0.1:5000', true],
    ['127.1.2.3', true],
    ['localhost:80', true],
    ['[::1]:5000', true],
    ['127.0.0.1.example.com', false],
    ['localhost.example.com', false],
    ['10.0.0.1:5000', false],
  ])('takes %s for one of this host: %s', (domain, expected) => {
    expect(isLoopbackRegistry(domain)).toBe(expected);
  });
});
