import { lines } from './panels.mjs';
import { max, quantile, rate, sum } from './promql.mjs';

const POOL = ['job', 'db_client_connection_pool_name'];
const NAME = '{{job}} {{db_client_connection_pool_name}}';
const pool = (what) => `${NAME} ${what}`;
const pools = [
  lines(
    'Connections',
    'Used and idle, and what the pool may have and keeps.',
    {},
    [
      sum('db_client_connection_count', [...POOL, 'db_client_connection_state']),
      pool('{{db_client_connection_state}}'),
    ],
    [sum('db_client_connection_max', POOL), pool('max')],
    [sum('db_client_connection_idle_min', POOL), pool('min')],
  ),
  lines('Acquires that wait', 'For a connection.', { warn: [1] }, [
    sum('db_client_connection_pending_requests', POOL),
    NAME,
  ]),
  lines('Waiting, p99', 'Of acquires that had to wait.', { unit: 's', warn: [1] }, [
    quantile(0.99, 'db_client_connection_wait_time_seconds', POOL),
    NAME,
  ]),
  lines(
    'Use',
    'How long connections are lent.',
    { unit: 's' },
    [quantile(0.5, 'db_client_connection_use_time_seconds', POOL), pool('p50')],
    [quantile(0.99, 'db_client_connection_use_time_seconds', POOL), pool('p99')],
  ),
  lines(
    'Acquires',
    'That got a connection, that were given up at their deadline, and errors by cause.',
    { unit: 'ops' },
    [rate('keelson_pool_acquired_total', POOL), pool('acquired')],
    [rate('db_client_connection_timeouts_total', POOL), pool('timed out')],
    [rate('keelson_pool_errors_total', [...POOL, 'cause']), pool('error {{cause}}')],
  ),
  lines('Leaks', 'Loans that took longer than leakAfter.', { unit: 'ops' }, [
    rate('keelson_pool_leaks_total', POOL),
    NAME,
  ]),
  lines('Opening, p99', 'How long opening a connection takes.', { unit: 's' }, [
    quantile(0.99, 'db_client_connection_create_time_seconds', POOL),
    NAME,
  ]),
  lines(
    'Opened',
    'Connections that were opened, and attempts that failed.',
    { unit: 'ops' },
    [rate('keelson_pool_opened_total', POOL), pool('opened')],
    [rate('keelson_pool_open_failures_total', POOL), pool('failed')],
  ),
  lines('Closed', 'By reason.', { unit: 'ops' }, [
    rate('keelson_pool_closed_total', [...POOL, 'reason']),
    pool('{{reason}}'),
  ]),
];

const LOG = ['job', 'destination'];
const logger = [
  lines('Lines', 'That each destination took in, wrote, and recovered after a crash.', { unit: 'ops' }, [
    rate('keelson_log_lines_total', [...LOG, 'state']),
    '{{job}} {{destination}} {{state}}',
  ]),
  lines('Levels', 'Lines that loggers were given.', { unit: 'ops', stack: true }, [
    rate('keelson_log_messages_total', ['job', 'level']),
    '{{job}} {{level}}',
  ]),
  lines('Dropped', 'Lines that are lost, by cause.', { unit: 'ops' }, [
    rate('keelson_log_dropped_total', [...LOG, 'cause']),
    '{{job}} {{destination}} {{cause}}',
  ]),
  lines('Waiting', 'Lines that are not written yet.', {}, [
    max('keelson_log_waiting', LOG),
    '{{job}} {{destination}}',
  ]),
  lines('Waiting, memory', 'That those lines take.', { unit: 'bytes' }, [
    max('keelson_log_waiting_size_bytes', LOG),
    '{{job}} {{destination}}',
  ]),
  lines('Latency', 'From a call until its line was written, by quantile.', { unit: 's' }, [
    max('keelson_log_latency_seconds', [...LOG, 'quantile']),
    '{{job}} {{destination}} {{quantile}}',
  ]),
  lines(
    'Appends',
    'And those that failed, and files that were rotated.',
    { unit: 'ops' },
    [rate('keelson_log_writes_total', LOG), '{{job}} {{destination}} appends'],
    [rate('keelson_log_write_failures_total', LOG), '{{job}} {{destination}} failed'],
    [rate('keelson_log_rotations_total', LOG), '{{job}} {{destination}} rotations'],
  ),
  lines('Time of an append', 'On average.', { unit: 's' }, [
    `${rate('keelson_log_write_time_seconds_total', LOG)} / (${rate('keelson_log_writes_total', LOG)} > 0)`,
    '{{job}} {{destination}}',
  ]),
  lines('Written', 'To each destination.', { unit: 'Bps' }, [
    rate('keelson_log_written_bytes_total', LOG),
    '{{job}} {{destination}}',
  ]),
];

export const outputs = [
  { title: 'Connection pools', panels: pools },
  { title: 'Logs', panels: logger },
];
