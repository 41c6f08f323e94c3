/** A server that answers each Redis command as a test decides, for states in which a real Redis can't be held. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { closeAfterTest } from '../../closing.ts';

/** Returns the reply to a command in RESP2, without the final line end; null gives no reply. */
export type Answer = (words: readonly string[]) => string | null | Promise<string>;

export type ScriptedRedis = {
  readonly url: string;
  /** The commands that have come, as "NAME first-argument". */
  readonly commands: string[];
  answer(next: Answer): void;
  disconnectAll(): void;
};

const ok = '+OK';
/** Answers what ioredis asks before a connection is ready. */
export const greet: Answer = ([name = '']) => {
  if (name === 'hello') return '-ERR unknown command HELLO';
  if (name === 'info') return bulk('redis_version:7.0.0\r\nloading:0');
  return ok;
};

export const bulk = (text: string) => `$${Buffer.byteLength(text)}\r\n${text}`;

export async function startScriptedRedis(first: Answer = greet): Promise<ScriptedRedis> {
  let answer = first;
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {}); // ioredis has gone
    let replies = Promise.resolve(); // in the order of the commands
    socket.on('data', (data) => {
      for (const words of commandsIn(data.toString())) {
        commands.push(words.slice(0, 2).join(' '));
        const reply = Promise.resolve(answer(words));
        replies = send(socket, replies, reply);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const disconnectAll = () => sockets.forEach((socket) => void socket.destroy());
  closeAfterTest(async () => {
    server.close();
    disconnectAll();
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    commands,
    answer: (next) => {
      answer = next;
    },
    disconnectAll,
  };
}

/** Sends a reply after those before it. */
async function send(socket: Socket, before: Promise<void>, reply: Promise<string | null>): Promise<void> {
  await before;
  const text = await reply;
  if (text !== null) socket.write(`${text}\r\n`);
}

/** The commands in a chunk, which holds whole and short ones; names in lower case. */
function commandsIn(text: string): string[][] {
  const lines = text.split('\r\n');
  const commands: string[][] = [];
  for (let at = 0; lines[at]?.startsWith('*'); ) {
    const count = Number(lines[at]!.slice(1));
    const words = Array.from({ length: count }, (_, index) => lines[at + 2 * (index + 1)]!);
    commands.push([words[0]!.toLowerCase(), ...words.slice(1)]);
    at += 1 + 2 * count;
  }
  return commands;
}
