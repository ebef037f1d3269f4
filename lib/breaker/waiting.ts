import { type Call, STAGE } from './call.js';

/** Places of those that went that are kept before the rest moves up. */
const SLACK = 1_024;

/** Calls that wait for room, in their order. */
export class Waiting {
  count = 0;
  private calls: (Call | undefined)[] = [];
  private head = 0;

  join(call: Call): void {
    this.calls.push(call);
    this.count++;
  }

  /** One of them was given up; its place is found empty later. */
  leave(): void {
    this.count--;
  }

  /** Takes out the first one, if there is any. */
  next(): Call | undefined {
    while (this.head < this.calls.length) {
      const call = this.calls[this.head]!;
      this.calls[this.head++] = undefined;
      if (this.head > SLACK && this.head * 2 > this.calls.length) this.moveUp();
      if (call.stage !== STAGE.waiting) continue;
      this.count--;
      return call;
    }
    this.moveUp();
    return undefined;
  }

  private moveUp(): void {
    this.calls.splice(0, this.head);
    this.head = 0;
  }
}
