/** What of /proc and /sys tells of the host or of its hardware: Docker's list, and more. Programs see empty files and folders. */
export const HIDDEN_PATHS: string[] = `
  /proc/acpi /proc/asound /proc/buddyinfo /proc/cmdline /proc/config.gz /proc/consoles /proc/diskstats /proc/driver
  /proc/interrupts /proc/iomem /proc/ioports /proc/kallsyms /proc/kcore /proc/key-users /proc/keys /proc/kmsg
  /proc/kpagecgroup /proc/kpagecount /proc/kpageflags /proc/latency_stats /proc/modules /proc/mtrr /proc/pagetypeinfo
  /proc/partitions /proc/sched_debug /proc/scsi /proc/slabinfo /proc/softirqs /proc/timer_list /proc/timer_stats
  /proc/vmallocinfo /proc/zoneinfo /sys/firmware /sys/devices/virtual/powercap`
  .split(/\s+/)
  .filter((path) => path !== '');

/** What lets one change the host where a program had the rights to. */
export const READ_ONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
