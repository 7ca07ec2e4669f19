import { Injectable } from '@nestjs/common';

export type ReadinessCheck = () => boolean | Promise<boolean>;

export interface ReadinessReport {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, boolean>>;
}

const CHECK_TIMEOUT_MS = 2_000;

/** Whether the service can do its work now. Inject it and add a check for everything that the service cannot do without. */
@Injectable()
export class Readiness {
  private readonly checks = new Map<string, ReadinessCheck>();
  private stopping = false;

  add(name: string, check: ReadinessCheck): void {
    this.checks.set(name, check);
  }

  /** From now on the service is not ready, whatever the checks say. */
  stop(): void {
    this.stopping = true;
  }

  async report(): Promise<ReadinessReport> {
    const names = [...this.checks.keys()];
    const outcomes = await Promise.all([...this.checks.values()].map(outcomeOf));
    const checks = Object.fromEntries(names.map((name, index) => [name, outcomes[index] ?? false]));
    return { ready: !this.stopping && outcomes.every(Boolean), checks };
  }
}

/** A check that fails or hangs says no. */
async function outcomeOf(check: ReadinessCheck): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([Promise.resolve().then(check), timeout]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
