// What a user's CommonJS module does.
const keelson = require('keelson');
const useEverything = require('./everything.js');

useEverything(keelson).then((found) => console.log(JSON.stringify(found)));
