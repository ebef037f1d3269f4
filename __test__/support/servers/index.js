// Real servers for specs and benchmarks, each a private one.
const { createMariaDB } = require('./mariadb.js');
const { freePort } = require('./ports.js');
const { createPostgres } = require('./postgres.js');
const { createRedis, createRedisReplica } = require('./redis.js');
const { createRedisCluster } = require('./redisCluster.js');
const { createRedisSentinels } = require('./redisSentinel.js');

module.exports = {
  createMariaDB,
  createPostgres,
  createRedis,
  createRedisCluster,
  createRedisReplica,
  createRedisSentinels,
  freePort,
};
