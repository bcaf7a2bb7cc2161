import { z } from 'zod';

import { toldPacketWishes } from './packet-wishes.ts';

/** AEADs a session can use, by their names on the wire. */
const ciphers = ['aes-256-gcm', 'chacha20-poly1305'] as const;
/** One of {@link ciphers}. */
export type Cipher = (typeof ciphers)[number];

/** Versions of the protocol spoken here. */
export const protocolVersions: readonly number[] = [1];

/** A hello is at most this many octets of JSON. */
export const helloBytesMax = 65_536;

const incarnation = z.string().regex(/^[0-9a-f]{32}$/u, { error: 'not 32 hexadecimal digits' });

const limits = z.object({
  streams: z.int().min(1).max(1_000_000),
  initialCredit: z
    .int()
    .min(1024)
    .max(2 ** 30),
  opensPerSecond: z.int().min(1).max(1_000_000).optional(),
  frames: z.array(z.int().min(0).max(255)).max(256),
});

/** What a side can take, as told in its hello. */
export type HelloLimits = z.infer<typeof limits>;

/**
 * The box's first and only message in a handshake. Unknown keys are ignored, and names of ciphers not known here too, so
 * that neighbouring versions understand each other.
 */
export const boxHello = z.object({
  type: z.literal('hello'),
  versions: z.array(z.int().min(1)).min(1).max(16),
  software: z.string().max(64),
  incarnation,
  ciphers: z.array(z.string().max(32)).min(1).max(16),
  limits,
  group: z.string().max(64).optional(),
  /** How its packets shall come; as is usual where it does not say. */
  packets: toldPacketWishes.optional(),
  /** Of a pairing code: the box asks to be let in from now on. No keys come of such a handshake. */
  token: z
    .string()
    .regex(/^[A-Za-z0-9_-]{21}[AQgw]$/u)
    .optional(),
});
/** See {@link boxHello}. */
export type BoxHello = z.infer<typeof boxHello>;

/** The relay's answer: the kid is installed when it is sent. */
const relayHello = z.object({
  type: z.literal('hello'),
  version: z.int().min(1),
  software: z.string().max(64),
  incarnation,
  generation: z.int().min(0).max(0xffff_ffff),
  cipher: z.enum(ciphers),
  limits,
  timeMs: z.number().min(0),
  /** Where else this identity runs, when two boxes with it replace each other's session in turn. */
  elsewhere: z.string().max(64).optional(),
});

/** The relay's answer to a hello with a token: the box is known from now on. */
const paired = z.object({
  type: z.literal('paired'),
  /** What the relay calls the box. */
  name: z.string().max(64),
  timeMs: z.number().min(0),
});

/** Why a relay refuses a box that has proved its key and spoken well. */
const refusalCodes = [
  'unknown-box',
  'revoked',
  'token-wrong',
  'token-used',
  'token-expired',
  'unwritable',
  'version',
  'cipher',
  'busy',
  'not-ready',
] as const;
/** One of {@link refusalCodes}. */
export type RefusalCode = (typeof refusalCodes)[number];

const refusal = z.object({ type: z.literal('refused'), code: z.string().max(32) });

/** What a relay sends in a handshake: its hello, word that the box is paired, or one reason code before it closes. */
export const relayAnswer = z.discriminatedUnion('type', [relayHello, paired, refusal]);
/** See {@link relayAnswer}. */
export type RelayAnswer = z.infer<typeof relayAnswer>;

const refusalSentences: Readonly<Record<RefusalCode, string>> = {
  'unknown-box': 'the relay does not know this box: pair them ("tresse relay pair" there, "tresse box pair" here)',
  revoked: 'the relay has revoked this box: only a new pairing code lets it in again ("tresse relay pair" there)',
  'token-wrong': 'the relay does not know this pairing code: ask for a new one ("tresse relay pair" there)',
  'token-used':
    'this pairing code was used already, and each is good for one box: ask for a new one ("tresse relay pair" there)',
  'token-expired': 'this pairing code has expired: ask for a new one ("tresse relay pair" there)',
  unwritable: 'the relay cannot write down that this box is paired: the reason is in its log',
  version: 'the relay speaks no version of the protocol this box speaks: update the older of the two',
  cipher: 'box and relay have no cipher in common: update the older of the two',
  busy: 'the relay has too many unfinished handshakes of this box',
  'not-ready': 'the relay is starting or stopping',
};

/** A refusal's code as a sentence; an unknown one (a newer relay's) is shown as it is. */
export function refusalSentence(code: string): string {
  const known = refusalCodes.find((c) => c === code);
  return known ? refusalSentences[known] : `the relay refuses this box (${code})`;
}
