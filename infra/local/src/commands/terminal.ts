import type { Screen } from '../progress/printer.ts';

/** The terminal, file or pipe that stdout is. */
export function terminalScreen(): Screen {
  const { stdout } = process;
  return {
    isTTY: stdout.isTTY === true,
    columns: stdout.columns || 120,
    write: (text) => void stdout.write(text),
  };
}
