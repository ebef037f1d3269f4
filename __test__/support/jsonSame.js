/**
 * Where two values that JSON.parse could have made differ, as a path and what is there, or undefined: by the numbers'
 * signs, own properties and their order, and prototypes too. It takes any depth.
 */
exports.difference = function difference(got, wanted) {
  const stack = [[got, wanted, undefined, '']];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const [left, right, parent, key] = top;
    if (Object.is(left, right)) continue;
    const place = { parent, key };
    if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
      return tell(place, `${show(left)} rather than ${show(right)}`);
    }
    if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return tell(place, 'another prototype');
    const names = Object.getOwnPropertyNames(left);
    const due = Object.getOwnPropertyNames(right);
    const same = names.length === due.length && names.every((name, index) => name === due[index]);
    if (!same) return tell(place, `the names ${show(names)} rather than ${show(due)}`);
    if (Object.keys(left).length !== Object.keys(right).length) return tell(place, 'hidden properties');
    const rows = Array.isArray(right);
    if (Array.isArray(left) !== rows) return tell(place, 'another kind');
    const count = rows ? right.length : names.length;
    for (let index = 0; index < count; index++) {
      const name = rows ? index : names[index];
      if (!Object.is(left[name], right[name])) stack.push([left[name], right[name], place, name]);
    }
  }
  return undefined;
};

function tell(place, what) {
  const path = [];
  for (let at = place; at.parent !== undefined; at = at.parent) path.push(at.key);
  return `at ${JSON.stringify(path.reverse().slice(-20))}: ${what}`;
}

function show(value) {
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'number' || value === undefined) return String(value);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return 'an object';
  try {
    return JSON.stringify(value).slice(0, 300);
  } catch {
    return 'a deep value';
  }
}
