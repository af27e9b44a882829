import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { addDeviceAdd } from './device-add.ts';
import { addDeviceImport } from './device-import.ts';
import { addDeviceList } from './device-list.ts';
import { addDeviceRemove } from './device-remove.ts';
import { addDeviceShow } from './device-show.ts';
import { addDeviceSsh } from './device-ssh.ts';
import { addDeviceTrust } from './device-trust.ts';

/** `perfleet device`: the registry of devices. */
export const addDevice = (program: Command, context: Context): void => {
  const device = program.command('device').description('the registry of devices');
  for (const add of [
    addDeviceAdd,
    addDeviceImport,
    addDeviceList,
    addDeviceShow,
    addDeviceSsh,
    addDeviceTrust,
    addDeviceRemove,
  ])
    add(device, context);
};
