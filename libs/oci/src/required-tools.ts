import { runTool } from './tool.process.js';

/** Program → Debian package. */
const TOOLS = { skopeo: 'skopeo', umoci: 'umoci' } as const;

/**
 * What image functions lack on this host, as one sentence; undefined when nothing is missing. `of`: which programs are needed
 * (skopeo asks registries, umoci unpacks).
 */
export async function missingImageTools(
  of: readonly (keyof typeof TOOLS)[] = ['skopeo', 'umoci'],
): Promise<string | undefined> {
  const outcomes = await Promise.all(of.map((tool) => runTool(tool, ['--version'])));
  const missing = of.filter((_tool, index) => outcomes[index]?.kind !== 'done').map((tool) => TOOLS[tool]);
  return missing.length === 0 ? undefined : installSentence(missing);
}

export function installSentence(packages: readonly string[]): string {
  return `install ${packages.join(' and ')}: apt-get install -y ${packages.join(' ')}`;
}
