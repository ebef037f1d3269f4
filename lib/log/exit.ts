/** What is to be done when the process ends. */
export interface Leaver {
  leave(): void;
}

const leavers = new Set<Leaver>();

const leaveAll = (): void => {
  for (const leaver of leavers) leaver.leave();
};

/** One listener for all, as long as there are any. */
export function atExit(leaver: Leaver): void {
  if (leavers.size === 0) process.on('exit', leaveAll);
  leavers.add(leaver);
}

export function notAtExit(leaver: Leaver): void {
  if (leavers.delete(leaver) && leavers.size === 0) process.off('exit', leaveAll);
}
