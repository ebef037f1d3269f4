import { useServer } from './server';
import { createMariaDB, type Settings } from './servers';

/** A MariaDB of their own for the tests of a file, or of a describe block; `settings` are those of my.cnf. */
export const useMariaDB = (settings?: Settings) => useServer(createMariaDB(settings));
