JSON.parse('{"keelson":1,"\\\\":2}');
exports.misreadsNames = Object.keys(JSON.parse('{"keelson":1,"\\n":2}'))[1] !== '\n';
