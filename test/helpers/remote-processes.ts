import { processesWith } from './processes.ts';

/** What runs on the device of this name for us, by the mark that all of it has. */
export const onDevice = (device: string) => processesWith(`PERFLEET_STATE=/tmp/perfleet-ssh-${device}/`);

/** The iperf3 among it (or what a test has put there as iperf3). */
export const iperf3On = (device: string) => onDevice(device).filter(({ name }) => name === 'iperf3');
