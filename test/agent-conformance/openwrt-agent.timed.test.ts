import { describe, inject } from 'vitest';
import { openwrtAgent, openwrtOnNode, realUcode } from '../helpers/shipped-agents.ts';
import { itConforms } from './conforming.ts';

describe('the agent for OpenWrt under Node.js', () => itConforms(() => openwrtOnNode(inject('programs'))));

const ucode = realUcode(process.env);
if (ucode !== null)
  describe('the agent for OpenWrt under ucode', () => itConforms(() => openwrtAgent(ucode, inject('programs'))));
