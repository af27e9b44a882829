import type { Case } from '../case.ts';
import { CANCEL_CASES } from './cancel.ts';
import { CROSS_TRAFFIC_CASES } from './cross-traffic.ts';
import { END_CASES } from './ends.ts';
import { FIRST_MOMENT_CASES } from './first-moments.ts';
import { HOSTILE_CASES } from './hostile.ts';
import { PREPARE_CASES } from './prepare.ts';
import { READY_CASES } from './ready.ts';
import { RESULT_CASES } from './results.ts';
import { START_CASES } from './start.ts';
import { STATUS_CASES } from './status.ts';
import { TRANSPORT_CASES } from './transport.ts';

/** Every case, in the order of docs/protocol.md. */
export const CASES: readonly Case[] = [
  ...TRANSPORT_CASES,
  ...HOSTILE_CASES,
  ...STATUS_CASES,
  ...PREPARE_CASES,
  ...CROSS_TRAFFIC_CASES,
  ...READY_CASES,
  ...START_CASES,
  ...END_CASES,
  ...FIRST_MOMENT_CASES,
  ...RESULT_CASES,
  ...CANCEL_CASES,
];
