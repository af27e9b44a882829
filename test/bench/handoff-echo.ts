import { systemClock } from '../../broker/clock.ts';
import type { Command } from '../../broker/contract/messages.ts';
import { commandTopic } from '../../broker/contract/topics.ts';
import { atTheEnd, FAR, LIFE_MS, NEAR } from './handoff-plan.ts';
import { bareLink } from './handoff-round-trip.ts';

/*
 * The far end of a bare round trip: `handoff-echo.js URL` answers what it gets.
 */

const [url = ''] = process.argv.slice(2);
const link = bareLink(url, FAR);
link.subscribe([commandTopic(FAR)]);
link.onMessage((_topic, payload) => {
  link.publish(commandTopic(NEAR), JSON.parse(Buffer.from(payload).toString()) as Command).catch(atTheEnd);
});
link.onConnect(() => process.send?.('connected'));
systemClock.after(LIFE_MS, () => process.exit(1));
process.once('disconnect', () => process.exit());
link.start();
