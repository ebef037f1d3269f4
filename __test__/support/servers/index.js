// Real servers for specs and benchmarks, each a private one.
const { createMariaDB } = require('./mariadb.js');
const { freePort } = require('./ports.js');
const { createPostgres } = require('./postgres.js');

module.exports = { createMariaDB, createPostgres, freePort };
