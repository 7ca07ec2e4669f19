/** The tables of the schema `bridge`. */
export interface BridgeSchema {
  timer_cursors: { trigger_key: string; incarnation: string; settled_at: string };
  seen_object_events: { identity: string; seen_at: Date };
  notified_buckets: { bucket: string; caught_up: boolean };
}
