import type { ServerSettings } from '../config/settings.ts';
import type { SlotEffect } from '../slots/events.ts';

export type PrepareOrder = Extract<SlotEffect, { type: 'prepare' }>;

export interface StartOrder {
  device: string;
  run: string;
  token: number;
  /** Of the `ready` that this answers. */
  nonce: string;
  server: { host: string; port: number };
  lease_ms: number;
}

/**
 * How runs get to a device and back. Nothing here answers: what a device says comes back as messages of the contract, and whoever
 * needs an answer repeats until it has one.
 */
export interface Driver {
  /** Asks a device to get ready: on deck, while another run may still hold the slot. */
  prepare(order: PrepareOrder, server: Pick<ServerSettings, 'host' | 'port' | 'auth'>): void;
  /** The slot is the device's now. The same token and nonce always mean the same start. */
  start(order: StartOrder): void;
  /** iperf3 stops at once, and the run is forgotten. */
  cancel(device: string, run: string, reason: string): void;
  /** The result is on disk here: the device's side may forget it. */
  accepted(device: string, run: string, token: number): void;
}
