import type { Inbound } from '../../broker/contract/inbound.ts';
import { strangerRest } from '../../controller/runs/stranger.ts';
import type { ControllerProcess } from './controller-process.ts';

type Of<K extends Inbound['kind']> = Extract<Inbound, { kind: K }>;

/** What a controller hears from the broker, as controller/controller.ts and controller/runs/inbox.ts take it. */
export class Inbox {
  readonly #process: ControllerProcess;

  constructor(process: ControllerProcess) {
    this.#process = process;
  }

  hear(message: Inbound, retained: boolean): void {
    if (message.kind === 'controller') this.#process.claim.hear(message.payload, retained);
    else if (message.kind === 'slot') this.#slot(message, retained);
    else if (message.kind === 'status') this.#status(message);
    else if (message.kind === 'event') this.#event(message);
    else if (message.kind === 'result') this.#result(message);
  }

  #slot({ server, payload }: Of<'slot'>, retained: boolean): void {
    const { machine } = this.#process;
    const rest_ms = strangerRest(payload, []);
    const isOurs = machine.disk.runs.get(payload.run ?? '') !== undefined;
    if (!retained || rest_ms === null || isOurs || machine.world.broken === 'strangers-rest') return;
    this.#process.handle({ type: 'stranger', server, rest_ms });
  }

  #status({ device, payload: { online, boot } }: Of<'status'>): void {
    this.#jumpToConclusions(device, online, boot);
    this.#process.handle({ type: 'status', device, online, boot });
  }

  #event({ device, payload }: Of<'event'>): void {
    const { machine, slots, hands } = this.#process;
    // Its end may be among what was put off.
    if (payload.type === 'ready' && !slots.knows(payload.run)) hands.flush();
    const run = machine.disk.runs.get(payload.run);
    if (run?.device !== device) {
      const cancel = { type: 'cancel', run: payload.run, reason: 'unknown run' } as const;
      this.#process.send({ kind: 'command', device, payload: cancel });
    } else if (payload.type !== 'ready' || !run.awaits_result) this.#process.handle({ ...payload, device });
  }

  #result({ device, payload }: Of<'result'>): void {
    const { machine, hands } = this.#process;
    const { run, token } = payload;
    const { disk, settlement, world } = machine;
    const accept = () => this.#process.send({ kind: 'command', device, payload: { type: 'accepted', run, token } });
    const early = world.broken === 'accepted-when-stored';
    const early_on_disk = world.broken === 'accepted-when-on-disk';
    this.#process.handle({ type: 'finished', device, run, token });
    if (early) accept();
    hands.later(() => {
      this.#process.mayCrash();
      // F4: a result that nobody knows is accepted too, or it would be sent for ever. Here it may be another controller's.
      if (disk.runs.get(run) === undefined) world.laws.givenAway(run, token);
      const { settled, busy } = settlement.result(device, payload, machine.wall());
      machine.tell(() => `the result of ${run}/${token}: ${settled}`);
      this.#process.mayCrash();
      if (early_on_disk) accept();
      else if (!early) machine.onDisk(() => this.#process.survive(accept));
      const server = disk.grants.get(token)?.server;
      if (busy !== null && server !== undefined) this.#process.handle({ type: 'served', server, busy_elsewhere: busy });
      hands.followUp(run, settled);
    });
  }

  /** What rules L9 and L10 forbid: a device that is gone, or came back, is taken for one that has finished. */
  #jumpToConclusions(device: string, online: boolean, boot: string): void {
    const { disk, world } = this.#process.machine;
    for (const { device: holder, granted, boot: earlier, run, token } of disk.leasesInOrder()) {
      if (holder !== device || !granted) continue;
      const broken = online && boot !== earlier ? 'new-boot-is-asked' : online ? null : 'offline-frees-nothing';
      if (broken !== null && world.broken === broken) this.#process.handle({ type: 'finished', device, run, token });
    }
  }
}
