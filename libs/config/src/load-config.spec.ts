import { z } from 'zod';
import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  defineConfig,
  hostPorts,
  integer,
  loadConfig,
  path,
  platformConfig,
  port,
  url,
} from './index.js';

const fragment = defineConfig({
  brokers: {
    variable: 'BROKERS',
    schema: hostPorts,
    default: '127.0.0.1:9092',
    accepts: 'host:port, several separated by commas',
  },
  port: { variable: 'PORT', schema: port, accepts: 'a port' },
  key: { variable: 'KEY', schema: z.string().min(8), accepts: 'at least 8 characters', secret: true },
});

function problemsOf(env: Record<string, string>): ConfigError {
  try {
    loadConfig(fragment, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
  }
  throw new Error('expected a ConfigError');
}

describe('loadConfig', () => {
  it('gives a typed, frozen object with defaults read by the same schema', () => {
    const config = loadConfig(fragment, { PORT: '0', KEY: 'long enough' });
    const brokers: string[] = config.brokers;
    const typed: number = config.port;
    expect({ brokers, typed }).toEqual({ brokers: ['127.0.0.1:9092'], typed: 0 });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('takes an empty variable as not set', () => {
    expect(loadConfig(fragment, { BROKERS: '', PORT: '1', KEY: 'long enough' }).brokers).toEqual([
      '127.0.0.1:9092',
    ]);
  });

  it('names every wrong variable at once, with its value and what it accepts', () => {
    const error = problemsOf({ BROKERS: 'nowhere', PORT: '70000' });
    expect(error.problems.map((problem) => problem.variable)).toEqual(['BROKERS', 'PORT', 'KEY']);
    expect(error.message).toContain(
      'BROKERS is "nowhere"; it accepts host:port, several separated by commas (not host:port)',
    );
    expect(error.message).toContain('KEY is not set; it accepts at least 8 characters');
  });

  it('masks secrets', () => {
    const error = problemsOf({ PORT: '1', KEY: 'short' });
    expect(error.message).toContain('KEY is "***"');
    expect(JSON.stringify(error.problems)).not.toContain('short');
  });
});

describe('schemas', () => {
  it.each([
    ['a.b:1,c:2', ['a.b:1', 'c:2']],
    ['[::1]:9092', ['[::1]:9092']],
  ])('reads host:port lists: %s', (input, expected) => {
    expect(hostPorts.parse(input)).toEqual(expected);
  });

  it.each(['1.5', 'x', '', '99999'])('refuses %s as a port', (input) => {
    expect(port.safeParse(input).success).toBe(false);
  });

  it('keeps integers within bounds', () => {
    expect(integer(1, 5).parse('5')).toBe(5);
    expect(integer(1, 5).safeParse('6').success).toBe(false);
  });

  it('checks the protocol of a URL', () => {
    expect(url('postgres', 'postgresql').safeParse('postgres://u:p@h:5/d').success).toBe(true);
    expect(url('http', 'https').safeParse('ftp://h').success).toBe(false);
    expect(url('http').safeParse('not a url').success).toBe(false);
  });

  it('expands the home directory', () => {
    expect(path.parse('~/.openscf')).toMatch(/^\/.+\/\.openscf$/);
  });

  it('reads the platform fragment without any variable', () => {
    expect(loadConfig(platformConfig, {}).region).toBe('ap-guangzhou');
  });
});
