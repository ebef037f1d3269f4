/** What spawn() takes to run a program that must not be root: nothing, unless this process is. */
export function account(): { uid?: number; gid?: number };
/** Gives a folder and all in it to that account. */
export function hand(folder: string): void;
