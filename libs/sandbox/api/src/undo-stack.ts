import { SandboxError } from './sandbox.errors.js';
import type { Sandbox } from './sandbox.types.js';

/** Undoes one step of a start. */
export type Undo = () => Promise<unknown> | unknown;

/** What a start has made so far. */
export class UndoStack {
  private readonly steps: Undo[] = [];

  push(step: Undo): void {
    this.steps.push(step);
  }

  /** The newest step needs no undoing any more. */
  pop(): void {
    this.steps.pop();
  }

  /** Undoes everything, the newest first. A step that fails stays first in line, so that another call goes on with it. */
  async unwind(): Promise<void> {
    for (let step = this.steps.at(-1); step; step = this.steps.at(-1)) {
      await step();
      this.steps.pop();
    }
  }
}

/**
 * Runs a driver's start, and undoes what it has made when it fails.
 * @throws SandboxError
 */
export async function startOrUndo(
  id: string,
  start: (undo: UndoStack) => Promise<Sandbox>,
): Promise<Sandbox> {
  const undo = new UndoStack();
  try {
    return await start(undo);
  } catch (cause) {
    await undo.unwind();
    if (cause instanceof SandboxError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SandboxError('start-failed', `Sandbox ${id} did not start: ${reason}`, { info: { id }, cause });
  }
}
