import type { Socket } from 'node:net';
import { clearTimeout, setTimeout } from 'node:timers';
import { noContext } from '../timer/context.js';
import { type Answer, Answers } from './resp.js';
import type { Dialer } from './socket.js';

/** Commands at most that are under way here. */
const DEPTH = 4;
/** An answer that is late for so many milliseconds is given up, and the connection with it. */
const STALL = 2000;
/** Between attempts to connect, and between looks at where the link leads. */
const REST = 1000;

/** Who waits for an answer. One of the three is called, once. */
export interface Traveller {
  arrived(answer: Answer): void;
  late(): void;
  /** The connection is lost. Whether Redis did what it was asked for is unknown. */
  lost(): void;
}

interface Seat {
  readonly timer: NodeJS.Timeout;
  /** Undefined once its time was over: the answer that comes is nobody's. */
  traveller: Traveller | undefined;
}

/**
 * A connection of Node's own to the server that a link is connected to, for a few asks at a time. Over the link's
 * thread a command costs the time to wake that thread, and this one again: about as long as a local Redis takes in all. It
 * is opened when there is use for it, and asks go over the link whenever it is not at its best.
 */
export class Express {
  readonly #dialer: Dialer;
  readonly #address: () => string;
  readonly #seats: Seat[] = [];
  #socket: Socket | undefined;
  /** Answers that are missing before it can be used. */
  #greetings = 0;
  #isOpen = false;
  #late = 0;
  #stall: NodeJS.Timeout | undefined;
  #waiting = 0;
  /** When to look after the connection. */
  #next = 0;
  #at = '';

  /** @param address where the server is; empty while it is not connected */
  constructor(dialer: Dialer, address: () => string) {
    this.#dialer = dialer;
    this.#address = address;
  }

  /** Whether a command can go now. Has the connection opened where there is none. */
  get isFree(): boolean {
    const now = performance.now();
    if (now >= this.#next) {
      this.#next = now + REST;
      this.#look();
    }
    return this.#isOpen && this.#seats.length < DEPTH && this.#late === 0;
  }

  /** Sends a command that {@link isFree} has let through. */
  send(command: Uint8Array, timeout: number, traveller: Traveller): void {
    const seat: Seat = { traveller, timer: setTimeout(() => this.#giveUp(seat), timeout) };
    this.#seats.push(seat);
    if (this.#waiting++ === 0) this.#socket!.ref();
    this.#socket!.write(command);
  }

  /** The server is not what it was. Whoever waits for it is lost. */
  leave(): void {
    this.#socket?.destroy();
    this.#end(this.#socket);
  }

  /** For ever. */
  close(): void {
    this.#next = Number.POSITIVE_INFINITY;
    this.leave();
  }

  /** Opens the connection where there is none, and leaves a server that the link has left. */
  #look(): void {
    const address = this.#address();
    if (this.#socket !== undefined) {
      if (address !== this.#at) this.leave();
    } else if (address !== '') {
      this.#at = address;
      // Its callbacks belong to no caller's async context.
      noContext.runInAsyncScope(this.#open, this, address);
    }
  }

  #open(address: string): void {
    const socket = this.#dialer.open(address);
    this.#socket = socket.unref();
    // Until it is connected the process stays, unref or not.
    this.#stall = setTimeout(() => socket.destroy(), STALL).unref();
    const { text, answers } = this.#dialer.greeting();
    this.#greetings = answers;
    const received = new Answers();
    socket.on('data', (piece) => {
      try {
        received.push(piece);
        for (let next = received.next(); next !== undefined; next = received.next()) this.#take(socket, next);
      } catch {
        // What answers is no Redis, or not in step.
        socket.destroy();
      }
    });
    // It closes after an error.
    socket.on('error', () => {});
    socket.on('close', () => this.#end(socket));
    socket.write(text);
  }

  #take(socket: Socket, answer: Answer): void {
    if (socket !== this.#socket || socket.destroyed) return;
    if (this.#isOpen) this.#arrive(answer);
    else if (typeof answer !== 'string' || !answer.startsWith('+')) socket.destroy();
    else if (--this.#greetings === 0) {
      this.#isOpen = true;
      clearTimeout(this.#stall);
    }
  }

  #arrive(answer: Answer): void {
    const seat = this.#seats.shift();
    if (seat === undefined) throw new Error('Redis answered what it was not asked');
    clearTimeout(seat.timer);
    if (seat.traveller !== undefined) this.#leave();
    else if (--this.#late === 0) clearTimeout(this.#stall);
    seat.traveller?.arrived(answer);
  }

  #giveUp(seat: Seat): void {
    const { traveller } = seat;
    seat.traveller = undefined;
    this.#leave();
    const socket = this.#socket;
    if (this.#late++ === 0) this.#stall = setTimeout(() => socket?.destroy(), STALL).unref();
    traveller?.late();
  }

  #leave(): void {
    if (--this.#waiting === 0) this.#socket?.unref();
  }

  #end(socket: Socket | undefined): void {
    if (socket === undefined || socket !== this.#socket) return;
    this.#socket = undefined;
    this.#isOpen = false;
    this.#next = Math.max(this.#next, performance.now() + REST);
    const seats = this.#seats.splice(0);
    [this.#late, this.#waiting] = [0, 0];
    clearTimeout(this.#stall);
    for (const { timer, traveller } of seats) {
      clearTimeout(timer);
      traveller?.lost();
    }
  }
}
