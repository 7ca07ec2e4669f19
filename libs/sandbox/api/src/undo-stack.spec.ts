import { describe, expect, it } from 'vitest';
import { SandboxError } from './sandbox.errors.js';
import { startOrUndo, UndoStack } from './undo-stack.js';

describe('undo stack', () => {
  it('undoes the newest first, and goes on where a step has failed', async () => {
    const undone: string[] = [];
    let isBroken = true;
    const undo = new UndoStack();
    undo.push(() => undone.push('first'));
    undo.push(() => {
      if (isBroken) throw new Error('busy');
      undone.push('second');
    });
    undo.push(() => undone.push('third'));
    await expect(undo.unwind()).rejects.toThrow('busy');
    expect(undone).toEqual(['third']);
    isBroken = false;
    await undo.unwind();
    expect(undone).toEqual(['third', 'second', 'first']);
  });

  it('leaves nothing of a start that fails, and says why in the words of the contract', async () => {
    const undone: string[] = [];
    const start = startOrUndo('s1', (undo) => {
      undo.push(() => undone.push('made'));
      return Promise.reject(new Error('no such image'));
    });
    const error = await start.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SandboxError);
    expect(error).toMatchObject({ message: 'Sandbox s1 did not start: no such image' });
    expect(undone).toEqual(['made']);
  });
});
