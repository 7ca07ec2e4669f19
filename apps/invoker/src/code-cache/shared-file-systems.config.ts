import { z } from 'zod';

/**
 * What stands behind a shared file system's id: a folder of the host, or an export that is mounted. Instances write to a folder as the user
 * that their function names (UserId, UserGroupId), so it must be that user's, or open to him; where the sandboxes cannot be told
 * whose files theirs are (kernels before 5.12, Docker), and for exports that do not say it themselves, it must be open to all.
 */
export type SharedFileSystem =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'nfs'; readonly host: string; readonly path: string };

const ENTRY = /^([\w-]{1,128})=(?:nfs:([\w.:[\]-]+):)?(\/[^;]*)$/;

/** `name=/host/path` or `name=nfs:host:/export`, several separated by `;`. */
export const sharedFileSystemsSchema = z.string().transform((text, context) => {
  const systems = new Map<string, SharedFileSystem>();
  for (const entry of text.split(';').map((part) => part.trim())) {
    if (entry === '') continue;
    const [, name, host, path] = ENTRY.exec(entry) ?? [];
    if (name === undefined || path === undefined || path.split('/').includes('..')) {
      context.addIssue({ code: 'custom', message: `"${entry}" is not name=/path or name=nfs:host:/export` });
      return z.NEVER;
    }
    systems.set(name, host === undefined ? { kind: 'folder', path } : { kind: 'nfs', host, path });
  }
  return systems as ReadonlyMap<string, SharedFileSystem>;
});
