/** The newest ids that were added, at most `capacity`; older ones are forgotten. */
export class RecentIds {
  private readonly ids = new Set<string>();

  constructor(private readonly capacity: number) {}

  has(id: string): boolean {
    return this.ids.has(id);
  }

  add(id: string): void {
    // Deleted first, so that it becomes the newest: a Set keeps the order of insertion.
    this.ids.delete(id);
    this.ids.add(id);
    if (this.ids.size <= this.capacity) return;
    for (const oldest of this.ids) {
      this.ids.delete(oldest);
      return;
    }
  }
}
