import type { Command } from 'commander';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';

export const addDeviceRemove = (parent: Command, context: Context): void => {
  const remove = parent
    .command('remove')
    .description('remove a device: its credentials end, its open runs are cancelled, its results stay')
    .argument('<device>');
  asksController(remove, 'perfleet device remove ap-12').action(async (device: string, flags: ControllerFlags) => {
    const removed = await clientOf(context, flags).removeDevice(device);
    if (flags.json) return printJson(context, removed);
    context.io.stdout.write(
      `${device} is removed. Its credentials no longer work and its open runs are cancelled.\n` +
        `Its results stay: perfleet results --device ${device}\n`,
    );
  });
};
