'use strict';
// The same as bench/measure.h: a warm-up, the measured time, one line of JSON.
exports.WARM_UP = 0.2;

exports.options = () => {
  const given = {};
  for (let i = 2; i + 1 < process.argv.length; i += 2) given[process.argv[i].replace(/^--/, '')] = process.argv[i + 1];
  return given;
};

exports.sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

exports.now = () => Number(process.hrtime.bigint()) / 1e9;

const cpu = () => {
  const used = process.cpuUsage();
  return (used.user + used.system) / 1e6;
};

// count() tells what was done so far. The warm-up begins with the first hundred, for a worker takes its time to start. Ends
// before the time is over once `all` are done.
exports.measure = async (seconds, count, all = Infinity) => {
  while (count() < 100) await exports.sleep(0.005);
  await exports.sleep(exports.WARM_UP);
  const wall = exports.now(), used = cpu(), before = count();
  while (exports.now() - wall < seconds && count() < all) await exports.sleep(0.005);
  const passed = exports.now() - wall, ops = count() - before;
  return {ops_per_s: ops / passed, cpu_us_per_op: (1e6 * (cpu() - used)) / ops, ops, seconds: passed};
};
