/** The path of a program of a server, which has to be there. */
export function program(name: string): string;
