import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { addDeviceAdd } from './device-add.ts';
import { addDeviceList } from './device-list.ts';
import { addDeviceRemove } from './device-remove.ts';
import { addDeviceShow } from './device-show.ts';

/** `perfleet device`: the registry of devices. */
export const addDevice = (program: Command, context: Context): void => {
  const device = program.command('device').description('the registry of devices');
  for (const add of [addDeviceAdd, addDeviceList, addDeviceShow, addDeviceRemove]) add(device, context);
};
