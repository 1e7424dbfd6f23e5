'use strict';
// The queue rows with a job queue of npm, all in one process.
//
//   NODE_PATH=<folder>/node_modules node queue.js --peer bullmq|bee_queue --how put|bulk|work|both|latency --port 6379
//       --in-flight 64 --size 1024 --messages 60000 --seconds 1.5
//
// put: that many callers, each putting one message at a time. bulk: one caller that puts that many at once. work: takes what
// was put before. both: callers put and a worker takes, the callers at most 1,000 ahead. latency: 200 puts a second.
const {measure, now, options, sleep, WARM_UP} = require('./measure');

const AHEAD = 1000, PERIOD = 0.005, FILL = 1000;

async function main() {
  const o = options();
  const peer = require(`./${o.peer}`);
  if (o.version) return console.log(peer.version);
  const inFlight = Number(o['in-flight'] || 64), size = Number(o.size || 1024), seconds = Number(o.seconds || 1.5);
  const how = o.how || 'put';
  const queue = await peer.open({port: Number(o.port), works: how !== 'put' && how !== 'bulk'});
  const body = {text: 'x'.repeat(size - '{"text":""}'.length)};
  let running = true, put = 0, done = 0;
  const held = [];  // callers that are too far ahead

  const caller = async () => {
    while (running) {
      if (how === 'both' && put - done >= AHEAD) await new Promise((resolve) => held.push(resolve));
      put++;
      const job = await queue.put(body);
      if (!job.id) throw new Error('a put without an id');
      if (how === 'put') done++;
    }
  };
  const bulk = async () => {
    while (running) {
      await queue.putAll(Array(inFlight).fill(body));
      done += inFlight;
    }
  };
  const handler = (data) => {
    if (data.text.length !== body.text.length) throw new Error('not the message that was put');
    done++;
    if (held.length && put - done < AHEAD) held.pop()();
  };

  let got;
  if (how === 'put' || how === 'bulk' || how === 'both') {
    if (how === 'both') await queue.work(inFlight, handler);
    const callers = how === 'bulk' ? [bulk()] : Array.from({length: inFlight}, caller);
    got = await measure(seconds, () => done);
    running = false;
    for (const resolve of held) resolve();
    await Promise.all(callers);
  } else if (how === 'work') {
    const messages = Number(o.messages || 60000);
    for (let i = 0; i < messages; i += FILL) await queue.putAll(Array(FILL).fill(body));
    await queue.work(inFlight, handler);
    got = await measure(seconds, () => done, messages);
  } else {
    const times = [];
    await queue.work(inFlight, (data) => {
      times.push(now() - Number(data.at));
    });
    const begin = now() + PERIOD;
    let warm = 0;
    for (let i = 0; i * PERIOD < WARM_UP + seconds; i++) {
      await sleep(Math.max(0, begin + i * PERIOD - now()));
      if (!warm && i * PERIOD >= WARM_UP) warm = times.length;
      await queue.put({at: String(now()), text: body.text});
      put++;
    }
    while (times.length < put) await sleep(0.01);
    const sorted = times.slice(warm).sort((a, b) => a - b);
    const at = (share) => 1000 * sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    got = {p50_ms: at(0.5), p99_ms: at(0.99), messages: sorted.length};
  }
  console.log(JSON.stringify(got));
  process.exit(0);  // what is ready stays behind; the server is the bench's own
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
