import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTLS } from 'node:tls';
import { command } from './resp.js';

const KEEPALIVE = 30_000;

/** How Node connects to a server that a link is connected to. */
export class Dialer {
  readonly #fields: ReadonlyMap<string, string>;

  /** @param spec of the link */
  constructor(spec: string) {
    const words = spec.split('\0');
    this.#fields = new Map(words.flatMap((word, index) => (index % 2 ? [[words[index - 1]!, word]] : [])));
  }

  /** What is said first, and how many answers it gets. */
  greeting(): { text: string; answers: number } {
    const field = (name: string): string[] => {
      const value = this.#fields.get(name);
      return value === undefined ? [] : [value];
    };
    const commands: string[] = [];
    if (this.#fields.has('password'))
      commands.push(command(['AUTH', ...field('username'), ...field('password')]));
    if (this.#fields.has('db')) commands.push(command(['SELECT', ...field('db')]));
    commands.push(command(['PING']));
    return { text: commands.join(''), answers: commands.length };
  }

  /** @param address `host port`, or the path of a socket */
  open(address: string): Socket {
    const end = address.lastIndexOf(' ');
    if (address.startsWith('/')) return connect({ path: address });
    const host = address.slice(0, end);
    const where = {
      host,
      port: Number(address.slice(end + 1)),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEPALIVE,
    };
    return this.#fields.has('tls') ? connectTLS({ ...where, ...this.#security(host) }) : connect(where);
  }

  #security(host: string): object {
    const fields = this.#fields;
    const own = Object.fromEntries(
      ['ca', 'cert', 'key'].flatMap((name) => (fields.has(name) ? [[name, fields.get(name)]] : [])),
    );
    const servername = fields.get('serverName') ?? (isIP(host) ? '' : host);
    return { ...own, servername, rejectUnauthorized: !fields.has('insecure') };
  }
}
