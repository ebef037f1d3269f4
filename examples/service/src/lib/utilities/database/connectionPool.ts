export type { DatabaseConfig, DriverConnection, Lease } from 'keelson';
export { DatabaseConnectionPool, DatabaseConnectionPool as default } from 'keelson';
