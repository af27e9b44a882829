import type { TestSystem } from '../../../controller/results/busy-device.ts';

/** How busy a device was during a test: as busy as this CPU, else nothing much. */
export const testSystem = (test: string, busiest: number | null, more: Partial<TestSystem> = {}): TestSystem => ({
  test,
  cpu_percent: 40,
  cpu_busiest_percent: busiest,
  softirq_percent: 30,
  load: 0.71,
  memory_available_bytes: 31_457_280,
  offload: { flow: false, hardware: false },
  ...more,
});
