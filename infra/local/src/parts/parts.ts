import type { Home } from '../home/home.ts';
import type { Keys } from '../home/keys.ts';
import type { Settings } from '../settings.ts';

/** What a part needs to know to describe its process. */
export interface PartContext {
  home: Home;
  keys: Keys;
  settings: Settings;
}

export const PART_NAMES = ['kafka', 'postgres', 'minio'] as const;
export type PartName = (typeof PART_NAMES)[number];

/** The environment of every child: nothing of the user's but the path, so that one machine's quirks do not reach it. */
export function cleanEnvironment(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: process.env['HOME'] ?? '/',
    LANG: 'C.UTF-8',
  };
}
