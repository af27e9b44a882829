import type { MqttLink } from '../../broker/client.ts';
import { systemClock } from '../../broker/clock.ts';
import { Command } from '../../broker/contract/messages.ts';
import { commandTopic } from '../../broker/contract/topics.ts';
import { FAR, LIFE_MS, NEAR } from './handoff-plan.ts';
import { bareLink } from './handoff-round-trip.ts';

/*
 * The far end of a bare round trip: `handoff-echo.js URL` answers what it gets.
 */

const [url = ''] = process.argv.slice(2);
const link: MqttLink = bareLink(url, FAR);
link.subscribe([commandTopic(FAR)]);
link.onMessage((_topic, payload) => {
  void link.publish(commandTopic(NEAR), Command.parse(JSON.parse(Buffer.from(payload).toString())));
});
link.onConnect(() => process.send?.('connected'));
systemClock.after(LIFE_MS, () => process.exit(1));
process.once('disconnect', () => process.exit());
link.start();
