import type { Lane } from './state/lane.ts';
import type { Server } from './state/server.ts';
import type { SlotState } from './state/slot-state.ts';

/*
 * What a step has to look at. Lists, with a mark on each that is in one: a set is emptied by replacing its table, once for each of thousands
 * of steps a second, and one old table that the collector has not come to yet keeps alive all that came after it.
 */

/** This step looks at the server again: whether it can pass its slot on, who gets its seat, when it next needs a look. */
export const touch = ({ touched }: SlotState, server: Server): void => {
  if (server.touched) return;
  server.touched = true;
  touched.push(server);
};

/** The lane has somebody to offer. */
export const wake = ({ woken }: SlotState, lane: Lane): void => {
  if (lane.woken) return;
  lane.woken = true;
  woken.push(lane);
};

/** The step is over. */
export const forgetTouched = (state: SlotState): void => {
  const { touched, woken } = state;
  for (const server of touched) server.touched = false;
  for (const lane of woken) lane.woken = false;
  if (touched.length > 0) state.touched = [];
  if (woken.length > 0) state.woken = [];
};
